// Before the first paint: the theme that was chosen, if one was. Loaded in the head, without defer, for that reason.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try { chosen = localStorage.getItem("podium-theme"); } catch { /* storage may be forbidden: follow the system */ }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
