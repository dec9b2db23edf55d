// Drafts: what stands in a form[data-draft] is kept in this browser at once and on the server within two seconds.
//
// A copy in this browser is words that the server has not confirmed; it goes once they are saved or sent in. Each
// window names the revision that it knows (`base`); where the server has a newer one, the window asks whose words stay.
// A page's script that sets fields need not tell: changes are looked for every second as well. How a form's fields are
// read and set stands in podium.js: a file of its own would be one request more.
(() => {
  "use strict";
  const PREFIX = "podium-draft:", KEEP_DAYS = 30;
  const QUIET = 800, AT_MOST = 1500; // a save comes so long after the last change, at most so long after the first
  const RETRY = [1e3, 2e3, 5e3, 10e3, 20e3, 30e3];
  const KEEPALIVE_BYTES = 60_000; // a browser lets a page that closes send little more
  const THIS_WINDOW = Math.random().toString(36).slice(2);
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const { read, write, words } = window.podiumFields;
  const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

  // ── This browser's copies: podium-draft:<address>:<window> → {fields, base, sent, at} ──────────────────────────
  const keep = (key, copy) => {
    try { localStorage.setItem(key, JSON.stringify({ ...copy, at: Date.now() })); return true; } catch { return false; }
  };
  const forget = (key) => { try { localStorage.removeItem(key); } catch { /* nothing was kept */ } };
  const copies = (prefix) => {
    const found = [];
    try {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith(prefix))) {
        try { found.push({ key, ...JSON.parse(localStorage.getItem(key)) }); } catch { forget(key); }
      }
    } catch { /* a browser that keeps nothing */ }
    return found.sort((one, other) => other.at - one.at);
  };
  for (const { key, at } of copies(PREFIX)) if (!(Date.now() - at < KEEP_DAYS * 864e5)) forget(key);

  // ── One form's draft ───────────────────────────────────────────────────────────────────────────────────────────
  class Draft {
    constructor(form) {
      this.form = form;
      this.address = form.dataset.draft;
      this.key = `${PREFIX}${this.address}:${THIS_WINDOW}`;
      this.base = Number(form.dataset.revision) || 0;
      this.server = this.seen = words(read(form, true)); // what the server has; what was last seen in the form
      this.blank = this.base ? null : this.server;
      this.offers = [];
      this.failures = 0;
      this.restore();
      this.look(); // what was typed before this script came
    }

    restore() {
      const [mine, ...others] = copies(`${PREFIX}${this.address}:`);
      if (!mine) return;
      const theirs = { fields: read(this.form, true), revision: this.base };
      const isBehind = mine.base < this.base && ![mine.sent, words(mine.fields)].includes(this.server);
      write(this.form, mine.fields);
      this.seen = words(read(this.form));
      this.sent = mine.sent;
      if (isBehind) this.base = mine.base;
      this.changed();
      if (mine.key !== this.key) forget(mine.key);
      if (isBehind) this.offer(theirs);
      for (const { fields, key } of others) this.offer({ fields, key });
    }

    look() {
      const now = words(read(this.form));
      if (now === this.seen) return;
      this.seen = now;
      this.changed();
    }

    changed() {
      this.unsaved = true;
      this.since ??= Date.now();
      this.keep();
      this.schedule(Math.min(QUIET, Math.max(0, this.since + AT_MOST - Date.now())));
    }

    keep() {
      const isKept = keep(this.key, { fields: JSON.parse(this.seen), base: this.base, sent: this.sent });
      if (!isKept) this.say("This browser keeps no copies: wait for “Saved” before you leave.", true);
    }

    // ── Saving ──
    get mayNotSave() { return this.sending || this.closed || this.offers.some((offer) => offer.revision); }

    schedule(wait) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), wait);
    }

    async save() {
      if (!this.unsaved || this.busy || this.mayNotSave) return;
      this.busy = true;
      this.unsaved = false;
      this.since = null;
      this.sent = this.seen;
      if (!this.failures) this.say("Saving…");
      let status = 0, body = {};
      try {
        const answer = await this.post(this.base);
        status = answer.status;
        body = await answer.json();
      } catch { /* no connection, or an answer that is no JSON: the status tells */ }
      this.busy = false;
      if (status === 200) this.saved(body);
      else this.notSaved(status, body);
    }

    post(base) {
      const body = new URLSearchParams([...JSON.parse(this.seen), ["csrfmiddlewaretoken", token()]]).toString();
      return fetch(`${this.address}?base=${base}`, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded" },
        keepalive: body.length < KEEPALIVE_BYTES,
      });
    }

    saved({ revision, saved_at: at }) {
      this.base = revision;
      this.server = this.sent;
      this.failures = 0;
      document.dispatchEvent(new Event("podium:signed"));
      if (this.unsaved) { this.keep(); return this.schedule(QUIET); }
      forget(this.key);
      return this.say(`Saved ${clock.format(new Date(at))}`);
    }

    notSaved(status, body) {
      this.unsaved = true;
      this.keep();
      if (status === 409 && body.revision) return this.overtaken(body);
      if ([400, 404, 409, 413, 422].includes(status)) { // the same words would be refused again
        this.closed = status === 404 || status === 409;
        return this.say(`${body.error ?? "This draft is not taken."} Your words are kept in this browser.`, true);
      }
      if (status === 401) this.sayLoggedOut(body.login);
      else if (status === 403) this.say(`${body.error} Your words are kept in this browser.`, true);
      else this.say(`Kept in this browser: ${status ? "the server has a problem" : "no connection"}`, true);
      return this.schedule(RETRY[Math.min(this.failures++, RETRY.length - 1)]);
    }

    // The server has another revision than this window knows.
    overtaken({ revision, fields, error }) {
      if ([this.sent, this.seen, this.server].includes(words(fields))) { // ours: only its answer was lost
        this.base = revision;
        this.schedule(0);
      } else if (fields.length) {
        this.offer({ fields, revision });
      } else {
        this.closed = true;
        this.say(`${error} This piece was sent in. Your words here are kept in this browser.`, true);
      }
    }

    // The page goes, or goes out of sight. What is under way arrives first, most likely; else the copy is still there.
    flush() {
      this.look();
      if (!this.unsaved || this.mayNotSave) return;
      if (this.busy) this.post(this.base + 1).catch(() => {});
      else this.save();
    }

    // ── Whose words stay ──
    offer(offer) {
      this.offers = [...this.offers.filter((one) => !(one.revision && offer.revision)), offer];
      this.ask();
    }

    ask() {
      document.getElementById("draft-offer")?.remove();
      const [offer] = this.offers;
      if (!offer) return;
      const box = Object.assign(document.createElement("div"), { id: "draft-offer", className: "note warn row", role: "alert" });
      box.append(offer.revision ? "Another window has a newer version." : "This browser has kept other words, too.");
      for (const [label, isTheirs] of [["Use it", true], ["Keep this one", false]]) {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: label });
        button.addEventListener("click", () => this.decide(offer, isTheirs));
        box.append(button);
      }
      this.form.before(box);
      if (offer.revision) this.say("Kept in this browser: choose a version", true);
    }

    decide(offer, isTheirs) {
      this.offers = this.offers.filter((one) => one !== offer);
      if (offer.key) forget(offer.key);
      if (offer.revision) this.base = offer.revision;
      if (isTheirs) write(this.form, offer.fields);
      this.seen = words(read(this.form));
      this.changed();
      this.ask();
      this.form.querySelector("textarea, select, input:not([type=hidden])")?.focus();
    }

    get hasWords() {
      this.look();
      return this.seen !== this.blank && (this.base > 0 || this.seen !== this.server);
    }

    // ── Sending it in ──
    submitting() {
      this.look();
      this.sending = true;
    }

    submitted() {
      this.closed = true;
      forget(this.key);
      document.dispatchEvent(new Event("podium:signed"));
    }

    notSubmitted(status) {
      this.sending = false;
      if (status === 401) this.sayLoggedOut();
      else this.say(`Not sent: ${status ? `the server answered ${status}` : "no connection"}. Everything is kept; try again.`, true);
      if (this.unsaved) this.schedule(RETRY[1]);
    }

    // ── What the labeler sees ──
    say(sentence, isProblem = false) {
      const state = document.getElementById("draft-state");
      state?.setAttribute("aria-live", isProblem ? "polite" : "off"); // nobody wants to hear of every save
      state?.replaceChildren(sentence);
    }

    sayLoggedOut(login = "/accounts/login/") {
      this.say("You are logged out. Your words are kept. ", true);
      const href = `${login}?next=${encodeURIComponent(location.pathname)}`;
      document.getElementById("draft-state")?.append(Object.assign(document.createElement("a"), { href, textContent: "Log in again" }));
    }
  }

  // ── The drafts of this page, whether it came whole or was swapped in ───────────────────────────────────────────
  let drafts = [];
  const draftOf = (form) => drafts.find((draft) => draft.form === form);
  const attach = () => {
    for (const draft of drafts) if (!draft.form.isConnected) draft.flush();
    drafts = drafts.filter((draft) => draft.form.isConnected);
    for (const form of document.querySelectorAll("form[data-draft]")) {
      if (draftOf(form)) continue;
      if (window.htmx && !form.hasAttribute("hx-post")) sendByHtmx(form);
      drafts.push(new Draft(form));
    }
  };
  // A submit that fails must not take the page away, and with it what stands there.
  const sendByHtmx = (form) => {
    const swap = { "hx-target": "#main", "hx-select": "#main", "hx-swap": "outerHTML show:window:top", "hx-push-url": "true" };
    const attributes = { "hx-post": form.getAttribute("action") || location.pathname, ...swap };
    for (const [name, value] of Object.entries(attributes)) form.setAttribute(name, value);
    window.htmx.process(form);
  };
  attach();
  if (window.htmx) window.htmx.config.historyCacheSize = 0; // back asks the server, which has the draft
  document.addEventListener("htmx:load", attach);
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => draftOf(event.target.form)?.look());
  }
  setInterval(() => { for (const draft of drafts) draft.look(); }, 1000);
  const again = () => { for (const draft of drafts) if (draft.unsaved) draft.schedule(0); };
  const flush = () => { for (const draft of drafts) draft.flush(); };
  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? flush() : again()));
  for (const kind of ["online", "focus"]) addEventListener(kind, again);
  addEventListener("pagehide", flush);
  addEventListener("pageshow", () => { for (const draft of drafts) draft.sending = false; });

  document.addEventListener("submit", (event) => {
    const isSkip = event.target.matches("form[data-skip]") && !event.submitter?.hasAttribute("data-keeps-draft");
    if (!isSkip || !drafts.some((draft) => draft.hasWords)) return;
    if (confirm("Skip this one? Your draft stays here: Undo on the next page brings it back.")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented) draftOf(event.target)?.submitting(); });
  document.addEventListener("htmx:beforeRequest", (event) => draftOf(event.detail.elt)?.submitting());
  document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, xhr } }) => {
    const draft = draftOf(requestConfig.elt); // the event's own element may be what took the form's place
    if (xhr.status >= 200 && xhr.status < 400) draft?.submitted();
    else if (![409, 422].includes(xhr.status)) draft?.notSubmitted(xhr.status); // those two come as a page
  });
})();
