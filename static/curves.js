// The run page's curves: reads metrics.jsonl by byte offset while it grows, one plot for each group of metrics.
(() => {
  "use strict";
  const root = document.getElementById("curves");
  const state = document.getElementById("curves-state");
  const EVERY = 3000;
  // What belongs on one axis. The rest gets a plot of its own, under its own name.
  const GROUPS = [
    ["Loss", /^(loss|val|valid|eval)\/(train|valid|loss|lm|ptx|demonstrations|rankings)$|^(val\/loss|loss)$/],
    ["Scores and rewards", /^objective\/(scores|rlhf_reward|non_score_reward|reward)/],
    ["Accuracy", /accuracy/],
    ["Learning rate", /(^|\/)lr$|learning_rate/],
  ];
  // What one looks at first; the rest waits behind "More curves".
  const FIRST = ["Loss", "Scores and rewards", "objective/kl", "objective/entropy", "Accuracy", "val/response_length", "Learning rate"];
  const HIDDEN = new Set(["episode"]);
  const title = (name) => GROUPS.find(([, pattern]) => pattern.test(name))?.[0] ?? name;
  const series = new Map(); // metric → Map(step → value): a row that comes again replaces the earlier one
  const drawn = new Map(); // title → plot element
  const rest = document.createElement("div");
  let offset = 0;

  function take(rows) {
    for (const { step, time, ...values } of rows) {
      for (const [name, value] of Object.entries(values)) {
        if ((typeof value !== "number" && value !== null) || HIDDEN.has(name)) continue;
        if (!series.has(name)) series.set(name, new Map());
        series.get(name).set(step, value);
      }
    }
  }

  function more() {
    if (rest.childElementCount === 0) {
      const box = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = "More curves";
      rest.className = "plots";
      box.append(summary, rest);
      box.addEventListener("toggle", draw); // a closed box has no width to draw in
      root.after(box);
    }
    return rest;
  }

  function plotOf(name, isFirst) {
    if (drawn.has(name)) return drawn.get(name);
    const figure = document.createElement("section");
    const heading = document.createElement("h3");
    const area = document.createElement("div");
    figure.className = "plot";
    area.className = "plot-area";
    heading.textContent = name;
    figure.append(heading, area);
    (isFirst ? root : more()).append(figure);
    drawn.set(name, area);
    return area;
  }

  function draw() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span"); // resolves light-dark() to the color in use
    document.body.append(probe);
    const color = (token) => {
      probe.style.color = style.getPropertyValue(token);
      return getComputedStyle(probe).color;
    };
    const ink = color("--ink-soft"), line = color("--line"), surface = color("--surface");
    const hues = [color("--accent"), color("--gold"), color("--bad"), color("--good"), ink];
    probe.remove();

    const plots = new Map();
    for (const name of series.keys()) plots.set(title(name), [...(plots.get(title(name)) ?? []), name]);
    const place = (name) => (FIRST.indexOf(name) + 1 || FIRST.length + 1);
    const isFirst = (name) => FIRST.includes(name) || ![...plots.keys()].some((one) => FIRST.includes(one));
    const ordered = [...plots].sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
    for (const [name, metrics] of ordered) {
      const traces = metrics.map((metric, index) => {
        const points = [...series.get(metric)].sort(([a], [b]) => a - b);
        return {
          x: points.map(([step]) => step), y: points.map(([, value]) => value), name: metric,
          mode: points.length < 3 ? "lines+markers" : "lines", line: { width: 2, color: hues[index % hues.length] },
        };
      });
      const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
      window.Plotly.react(plotOf(name, isFirst(name)), traces, {
        margin: { t: 6, r: 8, b: 34, l: 48 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
        font: { color: ink, family: style.getPropertyValue("--ui"), size: 12 }, hovermode: "x unified",
        hoverlabel: { bgcolor: surface },
        xaxis: { ...axis, title: { text: "step", standoff: 4 } }, yaxis: axis,
        showlegend: metrics.length > 1, legend: { orientation: "h", y: 1.12, x: 0 },
      }, { displayModeBar: false, responsive: true });
    }
  }

  async function poll() {
    if (document.visibilityState === "visible") {
      try {
        const answer = await fetch(`${root.dataset.metrics}?from=${offset}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
        const { rows, next, live } = await answer.json();
        if (next < offset) series.clear(); // the file was cut: a resumed run writes from its last saved step on
        offset = next;
        take(rows);
        const hasCurves = [...series.values()].some((points) => points.size > 1);
        if (rows.length && hasCurves) draw();
        state.hidden = hasCurves;
        if (series.size) state.textContent = live ? "One row of numbers so far." : "This run measured once: its values stand above.";
        else state.textContent = live ? "No numbers yet." : "This run wrote no metrics.";
        if (!live) return;
      } catch (error) {
        state.hidden = false;
        state.textContent = `The curves cannot be read just now (${error.message}); trying again.`;
      }
    }
    setTimeout(poll, EVERY);
  }
  document.addEventListener("podium:theme", () => { if (drawn.size) draw(); });
  poll();
})();
