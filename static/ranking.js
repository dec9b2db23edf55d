// The ranking page: its acts and undo. The form's own fields hold the ranking; without this script they are the form.
// ranking-keys.js has the keys, ranking-pointer.js dragging, marking passages and comparing. A page may come by htmx:
// each `#ranking` that appears is announced by `podium:ranking`, and `null` when there is none any more.
(() => {
  "use strict";
  const ordinal = (n) => `${n}${n === 1 ? "st" : n === 2 ? "nd" : n === 3 ? "rd" : "th"}`;
  let page = null;

  class RankingPage {
    constructor(form) {
      this.form = form;
      this.cards = new Map([...form.querySelectorAll("[data-card]")].map((card) => [Number(card.dataset.card), card]));
      this.past = []; // what the fields held before each act, for undo
      this.tieNext = false;
      this.current = 1;
      this.held = this.read();
      for (const name of ["undo", "submit", "order", "announce"]) this[name + "Part"] = document.getElementById(name);
      for (const hidden of form.querySelectorAll("[data-move], #undo, #show-keys, #compare-open")) hidden.hidden = false;
      this.listen();
      this.draw();
    }

    // ── State: what the fields hold ──────────────────────────────────────────────────────────────────────────────
    selectOf(number) { return this.cards.get(number).querySelector("select"); }
    placeOf(number) { return Number(this.selectOf(number).value || 0); }
    get places() { return new Map([...this.cards.keys()].map((number) => [number, this.placeOf(number)])); }
    get unplaced() { return [...this.cards.keys()].filter((number) => !this.placeOf(number)); }
    get last() { return Math.max(0, ...this.places.values()); }
    read() { return [...this.form.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken" && field.id !== "rationale")
      .map((field) => [field, field.type === "radio" || field.type === "checkbox" ? field.checked : field.value]); }
    write(held) {
      for (const [field, value] of held) {
        if (field.type === "radio" || field.type === "checkbox") field.checked = value;
        else field.value = value;
      }
    }
    say(text) { this.announcePart.textContent = text; }

    // Every change goes through here: undo knows what was before, the draft's keeper hears of it, the page follows.
    act(change, words) {
      this.past.push(this.held);
      change();
      this.tieNext = false;
      this.changed();
      if (words) this.say(words());
    }
    changed() {
      this.held = this.read();
      this.form.dispatchEvent(new Event("input", { bubbles: true }));
      this.draw();
    }
    rest() {
      const left = this.unplaced.length;
      return left ? `${left} to go.` : "All placed: Enter submits.";
    }

    // ── Acts ─────────────────────────────────────────────────────────────────────────────────────────────────────
    put(number, tie = false) {
      if (!this.cards.has(number)) return;
      if (this.placeOf(number)) {
        this.say(`Answer ${number} is already ${ordinal(this.placeOf(number))}. Zero takes the marked one out, undo the last one.`);
        this.mark(number);
        return;
      }
      const shared = (tie || this.tieNext) && this.last > 0;
      const place = Math.min(shared ? this.last : this.last + 1, this.cards.size);
      this.act(() => { this.selectOf(number).value = place; },
        () => `Answer ${number} is ${shared ? "also " : ""}${ordinal(place)}. ${this.rest()}`);
    }

    // Into a row of the order, or between two rows (`between`: those from there on move down by one).
    drop(number, place, between = false) {
      const places = this.places;
      places.set(number, 0);
      if (between) for (const [other, at] of places) if (at >= place) places.set(other, at + 1);
      places.set(number, place);
      const used = [...new Set(places.values())].filter(Boolean).sort((a, b) => a - b);
      this.act(() => {
        for (const [other, at] of places) this.selectOf(other).value = at ? used.indexOf(at) + 1 : "";
      }, () => `Answer ${number} is ${ordinal(this.placeOf(number))}. ${this.rest()}`);
    }

    takeOut(number) {
      if (!this.placeOf(number)) { this.say(`Answer ${number} is not placed.`); return; }
      this.act(() => { this.selectOf(number).value = ""; }, () => `Answer ${number} is taken out. ${this.rest()}`);
    }

    move(number, step) {
      const now = this.placeOf(number);
      const place = Math.min(this.cards.size, now ? Math.max(1, now + step) : this.last + 1);
      if (place === now) return;
      this.act(() => { this.selectOf(number).value = place; }, () => `Answer ${number} is ${ordinal(place)}.`);
    }

    rate(number, rating) {
      const field = this.form.querySelector(`[name="rating-${number}"][value="${rating}"]`);
      if (!field) return;
      const first = !this.form.querySelector(`[name="rating-${number}"]:checked`);
      this.act(() => { field.checked = true; }, () => `Answer ${number}: quality ${rating}.`);
      if (first && this.cards.has(number + 1)) this.mark(number + 1);
    }

    flag(number, index) {
      const field = this.form.querySelectorAll(`[name="flag-${number}"]`)[index];
      if (!field) return;
      const label = field.closest("label").querySelector("[data-label]").textContent;
      const passage = new CustomEvent("podium:flag", { cancelable: true, detail: { field, label } });
      if (!this.form.dispatchEvent(passage)) return; // a passage was selected: it is marked for this flag
      this.act(() => { field.checked = !field.checked; },
        () => `Answer ${number}: ${label} ${field.checked ? "set" : "cleared"}.`);
    }

    tick(id) {
      const field = document.getElementById(id);
      this.act(() => { field.checked = !field.checked; },
        () => `${field.closest("label").textContent.trim()}: ${field.checked ? "yes" : "no"}.`);
    }

    undo() {
      this.tieNext = false;
      const before = this.past.pop();
      if (!before) { this.say("Nothing to undo."); return; }
      this.write(before);
      this.changed();
      this.say(`Undone. ${this.cards.size - this.unplaced.length} of ${this.cards.size} placed.`);
    }

    send() {
      const missing = this.unplaced;
      if (!missing.length) { this.form.requestSubmit(this.submitPart); return; }
      this.say(`Not yet: place ${missing.length === 1 ? "answer" : "answers"} ${missing.join(", ")}.`);
      for (const number of missing) this.cards.get(number).classList.add("missing");
      this.cards.get(missing[0]).scrollIntoView({ block: "nearest" });
    }

    // The marked card is the one that ratings and flags by key are about.
    mark(number, focus = true) {
      if (!this.cards.has(number)) return;
      this.current = number;
      for (const [other, card] of this.cards) card.classList.toggle("current", other === number);
      if (!focus) return;
      const card = this.cards.get(number);
      card.tabIndex = -1;
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: "nearest" });
    }

    // ── What is seen ─────────────────────────────────────────────────────────────────────────────────────────────
    draw() {
      const rows = new Map();
      for (const [number, place] of this.places) {
        const card = this.cards.get(number);
        card.classList.toggle("placed", place > 0);
        if (place) rows.set(place, [...(rows.get(place) ?? []), number]);
        if (place) card.classList.remove("missing");
        this.drawFlags(card);
      }
      const items = [...rows].sort(([a], [b]) => a - b).flatMap(([place, numbers]) => [gap(place), row(place, numbers)]);
      items.push(gap(this.last + 1, true));
      if (this.unplaced.length) items.push(this.hint(rows.size));
      this.orderPart.replaceChildren(...items);
      this.undoPart.disabled = !this.past.length;
      this.submitPart.setAttribute("aria-disabled", String(this.unplaced.length > 0));
      this.mark(this.current, false);
      this.form.dispatchEvent(new Event("podium:drawn"));
    }
    drawFlags(card) {
      const part = card.querySelector("[data-flags-set]");
      if (!part) return;
      const tags = [...card.querySelectorAll('[name^="flag-"]:checked')].map((field) => {
        const tag = document.createElement("span");
        tag.className = "tag";
        tag.textContent = field.closest("label").querySelector("[data-label]").textContent;
        return tag;
      });
      part.replaceChildren(...tags);
    }
    hint(begun) {
      const hint = document.createElement("li");
      hint.className = "soft small hint";
      hint.textContent = this.tieNext ? "… and equally good: press its number"
        : begun ? `${this.unplaced.length} to go` : "Press the number of the best answer, or drag it here";
      return hint;
    }

    // ── Mouse, touch, fields ─────────────────────────────────────────────────────────────────────────────────────
    listen() {
      // A button clicked by mouse lets go of the focus, so that Enter means 'submit' again.
      const letGo = (event) => { if (event.detail) event.currentTarget.blur(); };
      for (const [number, card] of this.cards) {
        for (const button of card.querySelectorAll("[data-move]")) {
          button.addEventListener("click", (event) => { this.move(number, Number(button.dataset.move)); letGo(event); });
        }
        const key = card.querySelector("[data-put]");
        key.disabled = false;
        key.addEventListener("click", (event) => { this.put(number, event.shiftKey); letGo(event); });
        card.addEventListener("pointerdown", () => this.mark(number, false));
        card.addEventListener("focusin", () => this.mark(number, false));
      }
      this.form.addEventListener("change", (event) => {
        if (event.target.id === "rationale") return;
        this.past.push(this.held);
        this.held = this.read();
        const number = Number(/^place-(\d)$/.exec(event.target.name)?.[1]);
        if (number) this.say(this.placeOf(number) ? `Answer ${number} is ${ordinal(this.placeOf(number))}.` : `Answer ${number} is not placed.`);
        this.draw();
      });
      this.form.addEventListener("podium:restored", () => { this.held = this.read(); this.past = []; this.draw(); });
      this.undoPart.addEventListener("click", (event) => { this.undo(); letGo(event); });
      this.submitPart.addEventListener("click", (event) => {
        if (this.unplaced.length) { event.preventDefault(); this.send(); }
      });
    }
  }

  function row(place, numbers) {
    const item = document.createElement("li");
    item.className = "rank-row";
    item.dataset.place = place;
    const rank = document.createElement("span");
    rank.className = "rank";
    rank.textContent = ordinal(place);
    item.append(rank);
    numbers.forEach((number, index) => {
      const chip = document.createElement("span");
      chip.className = "placed-chip";
      chip.dataset.chip = number;
      chip.textContent = number;
      item.append(...(index ? ["=", chip] : [chip]));
    });
    return item;
  }
  // Where a dragged card makes a row of its own; seen only while something is dragged.
  function gap(place, last = false) {
    const item = document.createElement("li");
    item.className = last ? "rank-gap last" : "rank-gap";
    item.dataset.before = place;
    item.setAttribute("aria-hidden", "true");
    return item;
  }

  function open() {
    const form = document.getElementById("ranking");
    if (form === page?.form) return;
    const swapped = page !== null;
    page = form ? new RankingPage(form) : null;
    document.dispatchEvent(new CustomEvent("podium:ranking", { detail: page }));
    if (page && swapped) document.querySelector("#main h1").focus({ preventScroll: true });
  }
  document.addEventListener("htmx:load", open);
  addEventListener("DOMContentLoaded", open); // the other two have come by then, too
})();
