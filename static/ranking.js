// The ranking page by keyboard, click and select. The selects hold the ranking: without this script they are the form.
(() => {
  "use strict";
  const form = document.getElementById("ranking");
  const order = document.getElementById("order");
  const announcer = document.getElementById("announce");
  const undoButton = document.getElementById("undo");
  const submitButton = document.getElementById("submit");
  const keys = document.getElementById("keys");
  const skip = document.getElementById("skip");
  const cards = new Map(
    [...form.querySelectorAll("[data-card]")].map((card) => [Number(card.dataset.card), card]),
  );
  const K = cards.size;
  const past = []; // the places before each act, for undo
  let tieNext = false;

  // ── State: number → place (0: not placed yet) ──────────────────────────────────────────────────────────────────
  const selectOf = (number) => cards.get(number).querySelector("select");
  const placeOf = (number) => Number(selectOf(number).value || 0);
  const places = () => new Map([...cards.keys()].map((number) => [number, placeOf(number)]));
  const unplaced = () => [...cards.keys()].filter((number) => !placeOf(number));
  const last = () => Math.max(0, ...places().values());
  const ordinal = (n) => `${n}${n === 1 ? "st" : n === 2 ? "nd" : n === 3 ? "rd" : "th"}`;
  const say = (text) => { announcer.textContent = text; };

  function change(changes) {
    past.push(shown);
    for (const [number, place] of changes) selectOf(number).value = place || "";
    draw();
  }
  let shown = places();

  // ── Acts ───────────────────────────────────────────────────────────────────────────────────────────────────────
  function put(number, tie) {
    if (!cards.has(number)) return;
    if (placeOf(number)) {
      say(`Answer ${number} is already ${ordinal(placeOf(number))}. Undo takes back the last one.`);
      return;
    }
    const shared = (tie || tieNext) && last() > 0;
    const place = shared ? last() : last() + 1;
    tieNext = false;
    change([[number, Math.min(place, K)]]);
    const rest = unplaced().length;
    say(`Answer ${number} is ${shared ? "also " : ""}${ordinal(place)}. ${rest ? `${rest} to go.` : "All placed: Enter submits."}`);
  }

  function move(number, step) {
    const now = placeOf(number);
    const place = now ? Math.min(K, Math.max(1, now + step)) : last() + 1;
    if (place === now) return;
    change([[number, Math.min(place, K)]]);
    say(`Answer ${number} is ${ordinal(placeOf(number))}.`);
  }

  function undo() {
    tieNext = false;
    const before = past.pop();
    if (!before) { say("Nothing to undo."); return; }
    for (const [number, place] of before) selectOf(number).value = place || "";
    draw();
    say(`Undone. ${K - unplaced().length} of ${K} placed.`);
  }

  function submit() {
    const missing = unplaced();
    if (!missing.length) { form.requestSubmit(submitButton); return; }
    say(`Not yet: place ${missing.length === 1 ? "answer" : "answers"} ${missing.join(", ")}.`);
    cards.get(missing[0]).scrollIntoView({ block: "nearest" });
  }

  // ── What is seen ───────────────────────────────────────────────────────────────────────────────────────────────
  function draw() {
    shown = places();
    const groups = new Map();
    for (const [number, place] of shown) {
      cards.get(number).classList.toggle("placed", place > 0);
      if (place) groups.set(place, [...(groups.get(place) ?? []), number]);
      if (place) cards.get(number).classList.remove("missing");
    }
    const items = [...groups].sort(([a], [b]) => a - b).map(([place, numbers]) => {
      const item = document.createElement("li");
      const rank = document.createElement("span");
      rank.className = "rank";
      rank.textContent = ordinal(place);
      item.append(rank);
      numbers.forEach((number, index) => {
        const key = document.createElement("kbd");
        key.textContent = number;
        item.append(...(index ? ["=", key] : [key]));
      });
      return item;
    });
    if (!items.length || unplaced().length) {
      const hint = document.createElement("li");
      hint.className = "soft small";
      hint.textContent = tieNext ? "… and equally good: press its number"
        : items.length ? `${unplaced().length} to go` : "Press the number of the best answer";
      items.push(hint);
    }
    order.replaceChildren(...items);
    undoButton.disabled = !past.length;
    submitButton.setAttribute("aria-disabled", String(unplaced().length > 0));
  }

  // A button clicked by mouse lets go of the focus, so that Enter means 'submit' again.
  const letGo = (event) => { if (event.detail) event.currentTarget.blur(); };

  // ── Mouse, touch, select ───────────────────────────────────────────────────────────────────────────────────────
  for (const [number, card] of cards) {
    for (const button of card.querySelectorAll("[data-move]")) {
      button.hidden = false;
      button.addEventListener("click", (event) => { move(number, Number(button.dataset.move)); letGo(event); });
    }
    selectOf(number).addEventListener("change", () => {
      past.push(shown);
      draw();
      say(placeOf(number) ? `Answer ${number} is ${ordinal(placeOf(number))}.` : `Answer ${number} is not placed.`);
    });
    card.addEventListener("click", (event) => {
      // Marking a passage or using the card's controls is not placing it.
      if (event.target.closest("select, button, label, a") || String(getSelection())) return;
      put(number, event.shiftKey);
    });
  }
  undoButton.hidden = document.getElementById("show-keys").hidden = false;
  undoButton.addEventListener("click", (event) => { undo(); letGo(event); });
  submitButton.addEventListener("click", (event) => {
    if (unplaced().length) { event.preventDefault(); submit(); }
  });

  // ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
    const focused = event.target.closest("select, input, textarea, button, a, summary");
    if (focused?.matches("select, input, textarea")) return; // they have their own keys
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code); // by position: Shift+digit is another character
    if (digit) put(Number(digit[1]), event.shiftKey);
    else if (event.key === "=") {
      tieNext = !tieNext && last() > 0;
      draw();
      say(tieNext ? "The next one shares the place." : "The next one gets its own place.");
    } else if (event.key === "Backspace" || event.key === "u") undo();
    else if (event.key === "?") keys.showModal();
    else if (event.key === "s" && skip) {
      skip.open = true;
      skip.querySelector("button").focus();
    } else if (event.key === "Enter" && !focused) submit();
    else return;
    event.preventDefault();
  });
  draw();
})();
