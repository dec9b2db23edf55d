// A reward model's calibration, and what it prefers beside people.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot, reach } = window.podiumPlots;
  const { quality, trained } = JSON.parse(source.textContent);
  const bins = quality
    ? quality.bins.map((bin) => ({ ...bin.observed, predicted: bin.predicted, count: bin.pairs }))
    : trained ? trained.calibration.bins.map((bin) => ({ value: bin.observed, low: null, high: null, predicted: bin.predicted, count: bin.count })) : [];

  function drawCalibration(hue) {
    document.getElementById("calibration-plot").style.maxWidth = "40rem";
    plot("calibration-plot", [
      { type: "scatter", mode: "lines", x: [0.5, 1], y: [0.5, 1], line: { color: hue["ink-soft"], dash: "dot", width: 1 }, hoverinfo: "skip" },
      {
        type: "scatter", mode: "lines+markers", x: bins.map((bin) => bin.predicted), y: bins.map((bin) => bin.value), line: { color: hue.accent, width: 1.5 }, marker: { color: hue.ink, size: 8 },
        error_y: { type: "data", symmetric: false, array: reach(bins, "high"), arrayminus: reach(bins, "low"), color: hue.accent, thickness: 2, width: 0 },
        text: bins.map((bin) => `says ${percent(bin.predicted)}, people agree in ${percent(bin.value)} of ${bin.count} pairs`), hovertemplate: "%{text}<extra></extra>",
      },
    ], layout(hue, { margin: { t: 8, r: 12, b: 44, l: 60 }, xaxis: { tickformat: ".0%", range: [0.49, 1.01], title: { text: "the model’s probability" } }, yaxis: { tickformat: ".0%", rangemode: "normal", title: { text: "people agree" } } }));
  }

  function drawBias(hue) {
    const lines = quality.preferences.filter(({ pairs }) => pairs > 0).map((line) => ({ ...line.apart, label: line.label, pairs: line.pairs, model: line.model.value, people: line.people.value }));
    if (!lines.length) return;
    document.getElementById("bias-plot").style.height = `${90 + 30 * lines.length}px`;
    plot("bias-plot", [{
      type: "scatter", mode: "markers", y: lines.map((line) => line.label), x: lines.map((line) => line.value), marker: { color: hue.ink, size: 9 },
      error_x: { type: "data", symmetric: false, array: reach(lines, "high"), arrayminus: reach(lines, "low"), color: hue.accent, thickness: 2, width: 0 },
      text: lines.map((line) => `${line.label}: wins ${percent(line.model)} by the model, ${percent(line.people)} by people, ${line.pairs} pairs`), hovertemplate: "%{text}<extra></extra>",
    }], layout(hue, {
      xaxis: { tickformat: "+.0%", title: { text: "the model’s preference above people’s" } }, yaxis: { type: "category", autorange: "reversed", dtick: 1 },
      shapes: [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0, x1: 0, line: { color: hue["ink-soft"], dash: "dot", width: 1 } }],
    }));
  }

  function draw() {
    const hue = colors();
    if (bins.length) drawCalibration(hue);
    if (quality) drawBias(hue);
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
