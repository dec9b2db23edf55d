// The pairs of a few-shot prompt: added and removed without going to the server. The rest is writing.js's.
(() => {
  "use strict";
  const list = () => document.getElementById("pairs");
  const pairs = () => [...list().children];

  const renumber = (said = "") => {
    const { min, max } = list().dataset;
    pairs().forEach((pair, index) => {
      for (const number of pair.querySelectorAll("[data-number]")) number.textContent = index + 1;
      const remove = pair.querySelector("[data-remove]");
      remove.value = `remove-${index + 1}`;
      remove.disabled = pairs().length <= Number(min);
    });
    document.getElementById("add-pair").disabled = pairs().length >= Number(max);
    document.getElementById("pairs-said").textContent = said;
  };
  const add = () => {
    const pair = pairs().at(-1).cloneNode(true);
    for (const field of pair.querySelectorAll("textarea")) field.value = field.defaultValue = "";
    list().append(pair);
    renumber(`Pair ${pairs().length} added.`);
    return pair;
  };
  const remove = (pair) => {
    const index = pairs().indexOf(pair);
    pair.remove();
    renumber(`Pair ${index + 1} removed.`);
    (pairs()[index] ?? pairs().at(-1)).querySelector("textarea").focus();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#add-pair, [data-remove]");
    if (!button || !list()) return;
    event.preventDefault();
    if (button.id === "add-pair") add().querySelector("textarea").focus();
    else remove(button.closest("li"));
  });
  // A draft may have more pairs than the page, or fewer.
  document.addEventListener("podium:restored", (event) => {
    if (!list()) return;
    const values = (name) => event.detail.fields.filter(([field]) => field === name).map(([, value]) => value);
    const queries = values("query"), responses = values("response");
    const wanted = Math.max(queries.length, Number(list().dataset.min));
    while (pairs().length < wanted) add();
    while (pairs().length > wanted) pairs().at(-1).remove();
    pairs().forEach((pair, index) => {
      pair.querySelector("[name=query]").value = queries[index] ?? "";
      pair.querySelector("[name=response]").value = responses[index] ?? "";
    });
    renumber();
  });
  const begin = () => { if (list()) renumber(); };
  document.addEventListener("htmx:load", begin);
  begin();
})();
