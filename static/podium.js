// On every page: the theme's switch, times in the reader's zone, the token, signs of work, copying, one submit a form,
// and the fields of a form for its draft.
(() => {
  "use strict";
  const root = document.documentElement;

  // ── Theme ──────────────────────────────────────────────────────────────────────────────────────────────────────
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const toggle = document.getElementById("theme-toggle");
  const label = () => { if (toggle) toggle.textContent = isDark() ? "Light" : "Dark"; };
  toggle?.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("podium-theme", root.dataset.theme); } catch { /* then only for this page */ }
    label();
    document.dispatchEvent(new Event("podium:theme"));
  });
  dark.addEventListener("change", label);
  label();

  // ── Times in the reader's own zone ─────────────────────────────────────────────────────────────────────────────
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const localize = (part) => {
    for (const time of part.querySelectorAll("time[datetime]")) {
      const when = new Date(time.dateTime);
      if (Number.isNaN(when.getTime())) continue;
      time.title ||= time.textContent;
      time.textContent = (time.dataset.show === "clock" ? clock : day).format(when);
    }
  };
  localize(document);

  // ── The token: another tab's log-in changes it, so it is read where it is sent ─────────────────────────────────
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1];
  document.addEventListener("submit", (event) => {
    const field = event.target.elements.namedItem("csrfmiddlewaretoken");
    if (field && token()) field.value = token();
  }, { capture: true });
  document.addEventListener("htmx:configRequest", (event) => {
    if (token()) event.detail.headers["X-CSRFToken"] = token();
  });

  // ── Somebody is at work: real input in a visible tab renews the lease and signs the ledger of active time ──────
  const RENEW_EVERY = 4 * 60e3, ACTIVE_WITHIN = 5 * 60e3, SIGN_EVERY = 15e3;
  let lastActive = Date.now(), lastSign = 0;
  const sign = () => {
    const url = document.querySelector("[data-active]")?.dataset.active;
    if (!url || Date.now() - lastSign < SIGN_EVERY) return;
    lastSign = Date.now();
    const headers = { "X-CSRFToken": token() ?? "", Accept: "application/json" };
    fetch(url, { method: "POST", headers, keepalive: true }).catch(() => {}); // the next one will do
  };
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"]) {
    addEventListener(kind, (event) => {
      if (!event.isTrusted || document.visibilityState !== "visible") return;
      lastActive = Date.now();
      sign();
    }, { passive: true, capture: true });
  }
  // What was sent in, and every saved draft, has signed already.
  document.addEventListener("podium:signed", () => { lastSign = Date.now(); });
  setInterval(() => {
    const lease = document.querySelector("#lease[hx-post]");
    if (lease && document.visibilityState === "visible" && Date.now() - lastActive < ACTIVE_WITHIN) {
      window.htmx?.trigger(lease, "renew");
    }
  }, RENEW_EVERY);

  // ── One submit per form: a double click is one click ───────────────────────────────────────────────────────────
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  const reopen = (part) => { for (const form of part.querySelectorAll("form[data-sent]")) delete form.dataset.sent; };
  addEventListener("pageshow", () => reopen(document)); // coming back by the back button

  document.body.addEventListener("htmx:afterSwap", (event) => { localize(event.detail.elt); });
  document.body.addEventListener("htmx:afterRequest", () => reopen(document));

  // ── Copy buttons, dialogs, the account menu ────────────────────────────────────────────────────────────────────
  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const field = document.getElementById(copy.dataset.copy);
      field.select();
      navigator.clipboard?.writeText(field.value).then(() => { copy.textContent = "Copied"; }, () => {});
    }
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
})();

// A form's fields as a draft knows them: [[name, value], …], as they stand or as the page came with them.
//
// After `write` has set them it fires `podium:restored` on the form, with all of them in `event.detail.fields`.
window.podiumFields = (() => {
  "use strict";
  const NO_DRAFT = new Set(["submit", "button", "reset", "image", "file", "fieldset", "output", "password"]);
  const fieldsOf = (form) => [...form.elements].filter(
    (field) => field.name && field.name !== "csrfmiddlewaretoken" && !field.disabled && !NO_DRAFT.has(field.type));
  const isTick = (field) => field.type === "checkbox" || field.type === "radio";
  const read = (form, asItCame = false) => fieldsOf(form).flatMap((field) => {
    if (isTick(field)) return (asItCame ? field.defaultChecked : field.checked) ? [[field.name, field.value]] : [];
    if (!field.options) return [[field.name, asItCame ? field.defaultValue : field.value]];
    const options = [...field.options];
    const chosen = options.filter((option) => (asItCame ? option.defaultSelected : option.selected));
    if (asItCame && !chosen.length && !field.multiple) chosen.push(...options.slice(0, 1));
    return chosen.map((option) => [field.name, option.value]);
  });
  const write = (form, fields) => {
    const values = {};
    for (const [name, value] of fields) (values[name] ??= []).push(value);
    for (const field of fieldsOf(form)) {
      const given = values[field.name] ?? [];
      if (isTick(field)) field.checked = given.includes(field.value);
      else if (field.options) for (const option of field.options) option.selected = given.includes(option.value);
      else field.value = given.shift() ?? "";
    }
    form.dispatchEvent(new CustomEvent("podium:restored", { bubbles: true, detail: { fields } }));
  };
  const words = (fields) => JSON.stringify(fields.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]));

  return { read, write, words };
})();
