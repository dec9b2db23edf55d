// Reward against distance: the run's iterations, people's judgements, and the fitted curves of both.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot } = window.podiumPlots;
  const { trace, fits, people, best_of_n: ofN, best_of_n_runs: runs, proposals } = JSON.parse(source.textContent);
  const d = ({ kl }) => Math.sqrt(Math.max(0, kl));
  const offset = fits.proxy ? fits.proxy.offset : trace.length ? trace[0].reward : 0;

  function curve(name, fit, hue, color, dash, zero = fit && fit.offset) {
    if (!fit) return [];
    return [{ type: "scatter", mode: "lines", name, x: fit.curve.map((point) => point.d), y: fit.curve.map((point) => point.gain - zero), line: { color: hue[color], dash, width: 2 }, hoverinfo: "skip" }];
  }

  function marks(name, points, hue, color, symbol, said) {
    if (!points.length) return [];
    return [{
      type: "scatter", mode: "markers", name, x: points.map(d), y: points.map(({ gain }) => gain), marker: { color: hue[color], symbol, size: 10 },
      error_y: { type: "data", symmetric: false, array: points.map((p) => p.high - p.gain), arrayminus: points.map((p) => p.gain - p.low), color: hue[color], thickness: 1.5, width: 0 },
      text: points.map(said), hovertemplate: "%{text}<extra></extra>",
    }];
  }

  function draw() {
    if (!document.getElementById("overopt-plot")) return;
    const hue = colors();
    const traces = [];
    if (trace.length) traces.push({
      type: "scatter", mode: "markers", name: "proxy reward", x: trace.map(d), y: trace.map(({ reward }) => reward - offset), marker: { color: hue["ink-soft"], size: 5 },
      text: trace.map((p) => `iteration ${p.step}: KL ${p.kl.toFixed(2)}, reward ${p.reward.toFixed(3)}${p.spread === null ? "" : `, spread ${p.spread.toFixed(3)}`}`), hovertemplate: "%{text}<extra></extra>",
    });
    if (trace.length && trace[0].spread !== null) traces.push({
      type: "scatter", mode: "markers", name: "spread of the heads", x: trace.map(d), y: trace.map(({ spread }) => spread), marker: { color: hue.gold, size: 5, symbol: "diamond" }, hovertemplate: "spread %{y:.3f}<extra></extra>",
    });
    traces.push(...curve("proxy, fitted", fits.proxy, hue, "ink-soft", "solid"), ...curve("reward less spread, fitted", fits.cautious, hue, "gold", "dash"));
    traces.push(...marks("people’s preference", people, hue, "accent", "square", (p) => `${p.name}: preferred ${percent(p.rate)}, KL ${p.kl.toFixed(2)}`), ...curve("people, fitted", fits.people, hue, "accent", "solid"));
    traces.push(...marks("people, best of n", ofN, hue, "ink", "triangle-up", (p) => `best of ${p.n}: preferred ${percent(p.rate)}`), ...curve("best of n, fitted", fits.best_of_n, hue, "ink", "dot"));
    if (runs.length) traces.push({ type: "scatter", mode: "markers", name: "proxy, best of n", x: runs.map(d), y: runs.map(({ gain }) => gain), marker: { color: hue["ink-soft"], symbol: "triangle-up-open", size: 9 }, text: runs.map((p) => `best of ${p.n}: the proxy gains ${p.gain.toFixed(3)}`), hovertemplate: "%{text}<extra></extra>" });
    const stops = proposals.filter(({ kl, by }) => kl !== null && by !== "best_of_n");
    const area = document.getElementById("overopt-plot");
    const isNarrow = area.parentElement.clientWidth < 600; // the legend is a column there, below the axis
    area.style.height = isNarrow ? "580px" : "440px";
    plot("overopt-plot", traces, layout(hue, {
      showlegend: true, legend: { orientation: "h", y: isNarrow ? -0.22 : -0.18, yanchor: "top", x: 0 }, margin: { t: 24, r: 12, b: 60, l: 56 },
      xaxis: { title: { text: "d = √KL, KL in nats" }, rangemode: "tozero" }, yaxis: { title: { text: "gain over the start" } },
      shapes: stops.map((one) => ({ type: "line", yref: "paper", y0: 0, y1: 1, x0: Math.sqrt(one.kl), x1: Math.sqrt(one.kl), line: { color: hue.accent, dash: "dash", width: 1 } })),
      annotations: stops.map((one) => ({ x: Math.sqrt(one.kl), yref: "paper", y: 1, yanchor: "bottom", showarrow: false, text: one.by === "people" ? "stop, by people" : "stop, by the spread", font: { size: 10, color: hue["ink-soft"] } })),
    }));
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
