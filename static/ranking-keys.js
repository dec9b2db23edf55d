// The ranking page's keys. By position, so that every layout has the same rows: digits place, the row below them rates,
// the home row flags, the bottom row does the rest. What is printed on the keys is shown where the browser tells.
(() => {
  "use strict";
  const RATING_CODES = ["KeyQ", "KeyW", "KeyE", "KeyR", "KeyT", "KeyY", "KeyU"];
  const FLAG_CODES = ["KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ", "KeyK", "KeyL", "Semicolon", "Quote"];
  let page = null;

  const ACTS = {
    KeyZ: () => page.undo(),
    KeyX: () => {
      const skip = document.getElementById("skip");
      if (skip) { skip.open = true; skip.querySelector("button").focus(); }
    },
    KeyC: () => document.getElementById("compare-open").click(),
    KeyV: () => document.getElementById("texts-as").click(),
    KeyB: () => document.querySelector("[data-recent]")?.click(),
    KeyN: () => page.tick("none"),
    KeyM: () => document.getElementById("rationale").focus(),
    KeyI: () => {
      const flags = page.cards.get(page.current).querySelector("details.flags");
      if (flags) flags.open = !flags.open;
    },
    Digit0: () => page.takeOut(page.current),
    Backspace: () => page.undo(),
    ArrowLeft: () => page.mark(page.current - 1),
    ArrowRight: () => page.mark(page.current + 1),
  };
  const keysOn = () => { try { return localStorage.getItem("podium-keys") !== "off"; } catch { return true; } };

  document.addEventListener("keydown", (event) => {
    if (!page || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const focused = event.target.closest("select, input, textarea, button, a, summary");
    if (event.key === "Escape" && focused?.matches("textarea")) { focused.blur(); return; }
    if (focused?.matches("select, textarea")) return; // they have their own keys
    if (event.key === "Enter") {
      if (focused && !focused.matches("input")) return;
      event.preventDefault();
      page.send();
      return;
    }
    if (!keysOn()) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const rating = RATING_CODES.indexOf(event.code), flag = FLAG_CODES.indexOf(event.code);
    if (event.key === "?") document.getElementById("keys").showModal();
    else if (digit) page.put(Number(digit[1]), event.shiftKey);
    else if (event.key === "=") {
      page.tieNext = !page.tieNext && page.last > 0;
      page.draw();
      page.say(page.tieNext ? "The next one shares the place." : "The next one gets its own place.");
    } else if (rating >= 0) page.rate(page.current, rating + 1);
    else if (flag >= 0) page.flag(page.current, flag);
    else if (ACTS[event.code] && !(event.code.startsWith("Arrow") && focused?.matches("input"))) ACTS[event.code]();
    else return;
    event.preventDefault();
  });

  // What is printed on the keys of this keyboard, where the browser tells.
  const CODES = { ";": "Semicolon", "'": "Quote" };
  async function printKeys(part) {
    const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
    if (!layout) return;
    for (const key of part.querySelectorAll("kbd[data-code]")) {
      const name = key.textContent;
      key.textContent = layout.get(CODES[name] ?? `Key${name.toUpperCase()}`) ?? name;
    }
  }

  // A single key that acts can be in the way of speech input (WCAG 2.1.4), so they can be switched off.
  function start() {
    const on = document.getElementById("keys-on");
    on.checked = keysOn();
    on.addEventListener("change", () => {
      try { localStorage.setItem("podium-keys", on.checked ? "on" : "off"); } catch { /* then for this page alone */ }
    });
    printKeys(document.getElementById("main"));
  }
  document.addEventListener("podium:ranking", (event) => {
    page = event.detail;
    if (page) start();
  });
})();
