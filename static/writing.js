// The pages where something is written: its length and language, the preview, the keys. Drafts are drafts.js's affair.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const ENOUGH = 20; // characters, from which on the server can tell a language

  const measure = () => {
    const words = at("id_text").value.trim().split(/\s+/u).filter(Boolean).length;
    const characters = [...at("id_text").value].length;
    at("length").textContent = `${words} ${words === 1 ? "word" : "words"} · ${characters} characters`;
    if (characters < ENOUGH) at("language")?.replaceChildren();
  };
  const show = () => window.htmx?.trigger(at("preview"), "preview");

  // What stands in the field when the page comes, or comes back into it as a draft.
  const begin = () => {
    if (!at("writing")) return;
    measure();
    if (!window.htmx) return;
    for (const id of ["preview-toggle", "show-keys"]) at(id).hidden = false;
    if (at("id_text").value.length >= ENOUGH) window.htmx.trigger(at("id_text"), "recognize");
  };
  const toggle = () => {
    const preview = at("preview");
    preview.hidden = !preview.hidden;
    at("preview-toggle").setAttribute("aria-expanded", String(!preview.hidden));
    if (!preview.hidden) show();
  };
  const skip = () => {
    const box = at("skip");
    if (!box) return;
    box.open = true;
    box.querySelector("button").focus();
  };

  document.addEventListener("input", (event) => {
    if (event.target.id !== "id_text" || !at("writing")) return;
    measure();
    if (!at("preview").hidden) show();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#preview-toggle")) toggle();
  });
  document.addEventListener("keydown", (event) => {
    if (!at("writing") || document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    let act = null;
    if (control && event.key === "Enter") act = () => at("writing").requestSubmit(at("submit"));
    else if (control && event.shiftKey && event.code === "KeyP") act = toggle;
    else if (event.altKey && event.code === "KeyS") act = skip;
    else if (event.key === "?" && !event.target.closest("textarea, select, input")) act = () => at("keys").showModal();
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("podium:restored", begin);
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt.querySelector("#writing")) begin(); });
  begin();
})();
