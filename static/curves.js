// Draws the curves of one run (what belongs together in one plot) or of several (a plot a curve, a line a run).
(() => {
  "use strict";
  const root = document.getElementById("curves");
  if (!root) return;
  const state = document.getElementById("curves-state");
  const shown = document.getElementById("curves-shown");
  const { smooth, axis, scale, whole } = shown.elements;
  const said = document.getElementById("smooth-said");
  const runs = JSON.parse(document.getElementById("curve-runs").textContent).map(window.podiumCurves.follow);
  const isMany = runs.length > 1;
  const EVERY = 3000;
  // What belongs on one axis, in the order in which one looks at it. The rest gets a plot of its own, behind "More curves".
  const GROUPS = [
    ["Loss", /^loss\/(train|ptx|lm)$|^(val|valid|eval)\/(loss|lm_loss)$|^loss$/],
    ["Reward", /^objective\/(scores|rlhf_reward|non_score_reward)$|(^|\/)reward$/],
    ["KL", /^(objective|eval)\/kl$/],
    ["Entropy", /entropy/],
    ["Clip fraction", /clipfrac/],
    ["Value error", /^loss\/value_avg$/],
    ["Learning rate", /(^|\/)(lr|learning_rate)$/],
    ["Gradient norms", /(^|\/)grad_norm$/],
    ["Accuracy", /accuracy/],
    ["Response length", /response_length$/],
  ];
  const HIDDEN = new Set(["episode", "tokens"]);
  const groupOf = (metric) => GROUPS.findIndex(([, pattern]) => pattern.test(metric));
  // In a plot of one run the part that all names share says nothing: "scores" for "objective/scores".
  const shortOf = (metric, metrics) => (metrics.length > 1 && new Set(metrics.map((one) => one.split("/")[0])).size === 1 ? metric.slice(metric.indexOf("/") + 1) : metric);
  const titleOf = (metric) => (isMany ? metric : GROUPS[groupOf(metric)]?.[0] ?? metric);
  const drawn = new Map(); // title → plot's area
  const rest = document.createElement("div");
  let range = null; // of x, that is looked at closely
  let pointed = null; // {curve, step} of a warning that is shown
  let box = null;

  const view = () => ({ x: axis.value, smooth: Number(smooth.value), low: range?.[0] ?? null, high: range?.[1] ?? null });

  function more() {
    if (!box) {
      box = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = "More curves";
      rest.className = "plots";
      box.append(summary, rest);
      box.addEventListener("toggle", draw); // a closed box has no width to draw in
      root.after(box);
    }
    return rest;
  }

  function areaOf(title, isFirst) {
    if (drawn.has(title)) return drawn.get(title);
    const figure = document.createElement("section");
    const heading = document.createElement("h3");
    const area = document.createElement("div");
    figure.className = "plot";
    area.className = "plot-area";
    heading.textContent = title;
    figure.append(heading, area);
    (isFirst ? root : more()).append(figure);
    drawn.set(title, area);
    return area;
  }

  function colors() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span"); // resolves light-dark() to the color in use
    document.body.append(probe);
    const color = (token) => {
      probe.style.color = style.getPropertyValue(token);
      return getComputedStyle(probe).color;
    };
    const found = {
      ink: color("--ink-soft"), line: color("--line"), surface: color("--surface"), gold: color("--gold"),
      hues: Array.from({ length: 8 }, (_, index) => color(`--hue-${index}`)), font: style.getPropertyValue("--ui"),
    };
    probe.remove();
    return found;
  }

  function linesOf(run, metric, color, name) {
    const { x, y, smooth: average } = run.curves.get(metric);
    const mode = x.length < 3 ? "lines+markers" : "lines";
    const line = { type: "scatter", name, mode, legendgroup: name, line: { width: 2, color } };
    if (!average) return [{ ...line, x, y }];
    const raw = { ...line, x, y, opacity: 0.25, line: { width: 1, color }, showlegend: false, hoverinfo: "skip" };
    return [raw, { ...line, x: average.x, y: average.y }];
  }

  function draw() {
    const hue = colors();
    const plots = new Map(); // title → its metrics
    for (const metric of new Set(runs.flatMap((run) => [...run.curves.keys()]))) {
      if (HIDDEN.has(metric)) continue;
      plots.set(titleOf(metric), [...(plots.get(titleOf(metric)) ?? []), metric]);
    }
    const place = ([, metrics]) => Math.min(...metrics.map((metric) => { const at = groupOf(metric); return at < 0 ? GROUPS.length : at; }));
    const ordered = [...plots].sort((a, b) => place(a) - place(b) || (b[0] === "objective/scores") - (a[0] === "objective/scores") || a[0].localeCompare(b[0]));
    const hasGroups = ordered.some((one) => place(one) < GROUPS.length);
    for (const one of ordered) {
      const [title, metrics] = one;
      const area = areaOf(title, !hasGroups || place(one) < GROUPS.length);
      if (!area.clientWidth) continue; // in a closed box
      const traces = isMany
        ? runs.filter((run) => run.curves.has(metrics[0])).flatMap((run) => linesOf(run, metrics[0], hue.hues[run.color], run.name))
        : metrics.flatMap((metric, index) => linesOf(runs[0], metric, hue.hues[index % 8], shortOf(metric, metrics)));
      const marks = pointed && axis.value === "step" && metrics.includes(pointed.curve)
        ? [{ type: "line", x0: pointed.step, x1: pointed.step, y0: 0, y1: 1, yref: "paper", line: { color: hue.gold, width: 2, dash: "dot" } }] : [];
      const grid = { gridcolor: hue.line, zerolinecolor: hue.line, linecolor: hue.line, automargin: true };
      window.Plotly.react(area, traces, {
        margin: { t: 6, r: 8, b: 34, l: 48 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
        font: { color: hue.ink, family: hue.font, size: 12 }, hovermode: "x unified", hoverlabel: { bgcolor: hue.surface },
        xaxis: { ...grid, title: { text: axis.value === "step" ? "step" : "minutes", standoff: 4 }, ...(range ? { range } : { autorange: true }) },
        yaxis: { ...grid, type: scale.value, fixedrange: true }, shapes: marks,
        showlegend: isMany || metrics.length > 1, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      }, { displayModeBar: false, responsive: true });
      if (!area.dataset.zooms) area.on("plotly_relayout", zoom);
      area.dataset.zooms = "yes";
    }
    whole.hidden = range === null;
  }

  // All plots look at the same range, of which the server has more detail.
  function zoom(change) {
    const low = change["xaxis.range[0]"], high = change["xaxis.range[1]"];
    if (low !== undefined && high !== undefined) range = [low, high];
    else if (change["xaxis.autorange"]) range = null;
    else return;
    reload();
  }

  function tell(error) {
    state.hidden = false;
    state.textContent = `The curves cannot be read just now (${error.message}); trying again.`;
  }

  function show() {
    const curves = runs.flatMap((run) => [...run.curves.values()]);
    const hasCurves = curves.some((curve) => curve.points > 1);
    const isLive = runs.some((run) => run.live);
    if (hasCurves) draw();
    state.hidden = hasCurves;
    shown.hidden = !hasCurves;
    if (curves.length) state.textContent = isLive ? "One row of numbers so far." : "This run measured once: its values stand above.";
    else state.textContent = isLive ? "No numbers yet." : `${isMany ? "These runs" : "This run"} wrote no metrics.`;
  }

  async function reload() {
    try {
      await Promise.all(runs.map((run) => run.load(view())));
      show();
      return true;
    } catch (error) {
      tell(error);
      return false;
    }
  }

  async function poll() {
    if (document.visibilityState === "visible") {
      try {
        const live = runs.filter((run) => run.live);
        if (!live.length) return;
        const changed = await Promise.all(live.map((run) => run.news()));
        if (changed.some(Boolean) || !live.every((run) => run.live)) show();
      } catch (error) {
        tell(error);
      }
    }
    setTimeout(poll, EVERY);
  }

  let later = 0;
  smooth.addEventListener("input", () => {
    said.textContent = Number(smooth.value) ? Number(smooth.value).toFixed(2) : "off";
    clearTimeout(later);
    later = setTimeout(reload, 150);
  });
  axis.addEventListener("change", () => { range = null; reload(); });
  scale.addEventListener("change", draw);
  whole.addEventListener("click", () => { range = null; reload(); });
  shown.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("podium:theme", () => { if (drawn.size) draw(); });

  // A warning leads to the step in the plot.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-curve]");
    const area = link && drawn.get(titleOf(link.dataset.curve));
    if (!area) return;
    event.preventDefault();
    pointed = { curve: link.dataset.curve, step: Number(link.dataset.step) };
    const details = area.closest("details");
    if (details) details.open = true;
    for (const figure of document.querySelectorAll(".plot.shown")) figure.classList.remove("shown");
    area.parentElement.classList.add("shown");
    draw();
    area.parentElement.scrollIntoView({ block: "center" });
  });

  (async () => {
    while (!(await reload())) await new Promise((resolve) => { setTimeout(resolve, EVERY); });
    setTimeout(poll, EVERY);
  })();
})();
