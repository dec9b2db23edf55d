// The writing page: what is being written is kept in this browser until the server has it.
(() => {
  "use strict";
  const form = document.getElementById("writing");
  const area = document.getElementById("id_text");
  const state = document.getElementById("draft-state");
  const length = document.getElementById("length");
  const key = `podium-draft-${form.dataset.draft}`;
  const skip = document.getElementById("skip");
  let kept = area.defaultValue, sending = false; // what differs was typed before this script came

  const store = {
    get: () => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (text) => { try { localStorage.setItem(key, text); return true; } catch { return false; } },
    drop: () => { try { localStorage.removeItem(key); } catch { /* nothing was kept */ } },
  };
  const measure = () => {
    const words = area.value.trim() ? area.value.trim().split(/\s+/u).length : 0;
    length.textContent = `${words} ${words === 1 ? "word" : "words"} · ${[...area.value].length} characters`;
  };
  const keep = () => {
    if (area.value === kept) return;
    if (area.value ? store.set(area.value) : (store.drop(), true)) {
      kept = area.value;
      state.textContent = kept ? "Kept in this browser" : "";
    } else {
      state.textContent = "This browser keeps no drafts: submit before you leave";
    }
  };

  // A submitted draft goes when another page than its own came after it: then the server has the words.
  try {
    const sent = sessionStorage.getItem("podium-sent");
    if (sent && sent !== key) { localStorage.removeItem(sent); sessionStorage.removeItem("podium-sent"); }
  } catch { /* then it stays, and does no harm */ }

  const draft = store.get();
  if (draft && !area.value) {
    area.value = kept = draft;
    state.textContent = "Your draft from before is back";
  }
  measure();
  keep();

  let timer = 0;
  area.addEventListener("input", () => {
    measure();
    clearTimeout(timer);
    timer = setTimeout(keep, 400);
  });
  addEventListener("pagehide", keep);
  addEventListener("beforeunload", (event) => {
    keep();
    // What is kept comes back; only a browser that keeps nothing would lose words.
    if (!sending && area.value !== kept) event.preventDefault();
  });
  form.addEventListener("submit", () => {
    keep();
    sending = true;
    try { sessionStorage.setItem("podium-sent", key); } catch { /* see above */ }
  });
  skip?.addEventListener("submit", (event) => {
    if (area.value.trim() && !confirm("Skip, and drop what you wrote here?")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    sending = true;
    store.drop();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("submit"));
    }
  });
})();
