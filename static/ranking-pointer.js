// The ranking page by pointer: dragging cards into the order, marking passages for a flag, comparing two side by side.
(() => {
  "use strict";
  let page = null;

  // ── Dragging: a card's number (or a placed one in the order) into a row, or between two rows ─────────────────────
  const DISTANCE = 6; // pixels; less is a click
  let drag = null, dragged = false;

  document.addEventListener("pointerdown", (event) => {
    const handle = page && event.button === 0 && event.target.closest("[data-put], [data-chip]");
    if (!handle) return;
    const number = Number(handle.dataset.chip ?? handle.closest("[data-card]").dataset.card);
    drag = { number, handle, x: event.clientX, y: event.clientY, id: event.pointerId, ghost: null };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    if (!drag.ghost && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DISTANCE) return;
    drag.ghost ??= lift();
    drag.ghost.style.translate = `${event.clientX}px ${event.clientY}px`;
    const target = targetAt(event);
    for (const lit of document.querySelectorAll(".rank-row.over, .rank-gap.over")) lit.classList.toggle("over", lit === target);
    target?.classList.add("over");
  });
  document.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const { ghost, number } = drag;
    const target = ghost && targetAt(event);
    letGo();
    if (!ghost) return;
    dragged = true;
    setTimeout(() => { dragged = false; }, 0);
    if (target?.dataset.place) page.drop(number, Number(target.dataset.place));
    else if (target?.dataset.before) page.drop(number, Number(target.dataset.before), true);
    else if (target) page.takeOut(number);
  });
  // The click that follows a drag is none.
  addEventListener("click", (event) => { if (dragged) { event.preventDefault(); event.stopPropagation(); } }, { capture: true });
  document.addEventListener("pointercancel", () => { if (drag) letGo(); });

  function lift() {
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.textContent = drag.number;
    document.body.append(ghost);
    document.body.classList.add("dragging");
    getSelection().removeAllRanges();
    return ghost;
  }
  function letGo() {
    drag.ghost?.remove();
    document.body.classList.remove("dragging");
    for (const lit of document.querySelectorAll(".over")) lit.classList.remove("over");
    drag = null;
  }
  // A row, a gap between rows, or (back among the cards) a card: there the dragged one is taken out of the order.
  function targetAt(event) {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    return under?.closest(".rank-row, .rank-gap") ?? (under?.closest("#order") ? document.querySelector("#order .rank-gap.last") : null)
      ?? (drag.handle.dataset.chip ? under?.closest(".cards") : null);
  }

  // ── Passages: a selection in a card's plain text, marked for a flag; kept in characters, not in UTF-16 units ──────
  const field = (card) => card.querySelector('[name^="spans-"]');
  const spansOf = (card) => JSON.parse(field(card)?.value || "[]");
  const length = (text) => [...text].length;

  function selected() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    const text = (range.startContainer.parentElement ?? range.startContainer).closest?.("p[data-text]");
    const node = text?.firstChild;
    if (!node || range.startContainer !== node || range.endContainer !== node) return null;
    const start = length(node.data.slice(0, range.startOffset));
    return { card: text.closest("[data-card]"), start, end: start + length(node.data.slice(range.startOffset, range.endOffset)), range };
  }

  function markPassage(passage, flag) {
    const label = flag.closest("label").querySelector("[data-label]").textContent;
    page.act(() => {
      flag.checked = true;
      const kept = spansOf(passage.card).filter((span) => !(span.flag === flag.value && span.start < passage.end && passage.start < span.end));
      field(passage.card).value = JSON.stringify([...kept, { flag: flag.value, start: passage.start, end: passage.end }]);
    }, () => `Passage marked: ${label}.`);
    getSelection().removeAllRanges();
  }

  // A flag that is cleared takes its passages along.
  function withoutCleared(card) {
    const set = new Set([...card.querySelectorAll('[name^="flag-"]:checked')].map((flag) => flag.value));
    const all = spansOf(card), kept = all.filter((span) => set.has(span.flag));
    if (kept.length < all.length) field(card).value = JSON.stringify(kept);
    return kept;
  }

  function drawPassages() {
    const ranges = [];
    for (const card of page.cards.values()) {
      const list = card.querySelector("[data-passages]");
      if (!list) continue;
      const text = card.querySelector("p[data-text]")?.firstChild;
      list.replaceChildren(...withoutCleared(card).map((span) => {
        const characters = [...(text?.data ?? "")];
        const from = characters.slice(0, span.start).join("").length;
        const words = characters.slice(span.start, span.end).join("");
        if (words) {
          const range = new Range();
          range.setStart(text, from);
          range.setEnd(text, from + words.length);
          ranges.push(range);
        }
        return passageItem(card, span, words);
      }));
    }
    if (CSS.highlights) CSS.highlights.set("passage", new Highlight(...ranges)); // nothing in the text itself changes
  }

  function passageItem(card, span, words) {
    const label = card.querySelector(`[name^="flag-"][value="${span.flag}"]`).closest("label").querySelector("[data-label]").textContent;
    const item = document.createElement("li");
    const quote = document.createElement("q");
    quote.textContent = words.length > 60 ? `${words.slice(0, 60)}…` : words || "a passage (see it as plain text)";
    const away = document.createElement("button");
    away.type = "button";
    away.className = "quiet small";
    away.textContent = "✕";
    away.setAttribute("aria-label", `Take away the mark: ${label}, ${quote.textContent}`);
    away.addEventListener("click", () => page.act(() => {
      field(card).value = JSON.stringify(spansOf(card).filter((other) => JSON.stringify(other) !== JSON.stringify(span)));
    }, () => "The mark is taken away."));
    item.append(`${label}: `, quote, away);
    return item;
  }

  // The flags beside a selection, for mouse and touch.
  function offerFlags() {
    const marker = document.getElementById("marker");
    const passage = page && marker && selected();
    if (!passage) { if (marker) marker.hidden = true; return; }
    const buttons = [...passage.card.querySelectorAll('[name^="flag-"]')].map((flag) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip small";
      button.textContent = flag.closest("label").querySelector("[data-label]").textContent;
      button.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
      button.addEventListener("click", () => { markPassage(passage, flag); marker.hidden = true; });
      return button;
    });
    const title = document.createElement("span");
    title.className = "small";
    title.textContent = "Mark the passage:";
    marker.replaceChildren(title, ...buttons);
    marker.hidden = !buttons.length;
    const at = passage.range.getBoundingClientRect();
    const top = at.top > marker.offsetHeight + 12 ? at.top - marker.offsetHeight - 8 : at.bottom + 8;
    marker.style.top = `${top + scrollY}px`;
    marker.style.left = `${Math.max(8, Math.min(at.left + scrollX, innerWidth - marker.offsetWidth - 16))}px`;
  }
  let waiting = 0;
  document.addEventListener("selectionchange", () => { clearTimeout(waiting); waiting = setTimeout(offerFlags, 200); });

  // ── Compare: two texts side by side ──────────────────────────────────────────────────────────────────────────────
  function compare() {
    const dialog = document.getElementById("compare");
    const columns = dialog.querySelector(".compare-columns");
    const pair = [page.current, page.cards.has(page.current + 1) ? page.current + 1 : 1];
    let turn = 0;
    const draw = () => columns.replaceChildren(...pair.map((number, side) => column(number, (chosen) => { pair[side] = chosen; draw(); })));
    dialog.onkeydown = (event) => {
      const digit = Number(/^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1]);
      if (event.target.matches("select") || !page.cards.has(digit)) return;
      event.preventDefault();
      pair[turn] = digit;
      turn = 1 - turn;
      draw();
    };
    draw();
    dialog.showModal();
  }
  function column(number, choose) {
    const part = document.createElement("section");
    const select = document.createElement("select");
    select.setAttribute("aria-label", "Which answer");
    select.append(...[...page.cards.keys()].map((other) => new Option(`Answer ${other}`, other, false, other === number)));
    select.addEventListener("change", () => choose(Number(select.value)));
    const text = page.cards.get(number).querySelector("[data-text]").cloneNode(true);
    text.removeAttribute("data-text");
    part.append(select, text);
    return part;
  }

  // ── Plain text or Markdown: the same page again, and its texts put in place of these ─────────────────────────────
  async function switchTexts(event) {
    event.preventDefault();
    const link = event.currentTarget;
    try {
      const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      const other = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const [number, card] of page.cards) {
        card.querySelector("[data-text]").replaceWith(other.querySelector(`[data-card="${number}"] [data-text]`));
      }
      const next = other.getElementById("texts-as");
      link.textContent = next.textContent;
      link.setAttribute("href", next.getAttribute("href"));
      page.say(next.dataset.texts === "plain" ? "Plain text." : "Markdown. To mark a passage, go back to plain text.");
      page.draw();
    } catch (error) {
      page.say(`The texts could not be shown otherwise: ${error.message}`);
    }
  }

  document.addEventListener("podium:ranking", (event) => {
    page = event.detail;
    CSS.highlights?.clear();
    if (!page) return;
    page.form.addEventListener("podium:drawn", drawPassages);
    page.form.addEventListener("podium:flag", (flagged) => {
      const passage = selected();
      if (!passage || Number(passage.card.dataset.card) !== page.current) return;
      flagged.preventDefault();
      markPassage(passage, flagged.detail.field);
    });
    document.getElementById("compare-open").addEventListener("click", compare);
    document.getElementById("texts-as").addEventListener("click", switchTexts);
    drawPassages();
  });
})();
