// The agreement page's plots. Each figure leads to the items behind it; the tables below the plots say the same.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot, reach } = window.podiumPlots;
  const { items, query, labelers, pairs, periods } = JSON.parse(source.textContent);
  const said = ({ value, low, high, items: count }) =>
    `${percent(value)}${low === null ? "" : ` (${percent(low)} to ${percent(high)})`}, ${count} item${count === 1 ? "" : "s"}`;
  const go = (more) => location.assign(`${items}?${new URLSearchParams({ ...query, ...more })}`);
  const known = labelers.filter(({ value }) => value !== null);
  const order = labelers.map(({ labeler }) => labeler);

  function drawLabelers(hue) {
    const area = document.getElementById("labelers-plot");
    area.style.height = `${Math.max(180, 70 + 20 * known.length)}px`;
    plot("labelers-plot", [{
      type: "scatter", mode: "markers", y: known.map(({ labeler }) => labeler), x: known.map(({ value }) => value),
      error_x: { type: "data", symmetric: false, array: reach(known, "high"), arrayminus: reach(known, "low"), color: hue.accent, thickness: 2, width: 0 },
      marker: { size: 9, color: hue.ink }, text: known.map((line) => `${line.labeler}: ${said(line)}`), hovertemplate: "%{text}<extra></extra>",
    }], layout(hue, {
      xaxis: { tickformat: ".1%", nticks: 6 },
      yaxis: { type: "category", autorange: "reversed", dtick: 1 },
    }), ({ y }) => go({ labeler: y }));
  }

  function drawPairs(hue) {
    const at = new Map(order.map((name, place) => [name, place]));
    const blank = () => order.map(() => order.map(() => null));
    const [z, text] = [blank(), blank()];
    for (const pair of pairs) {
      const [a, b] = [at.get(pair.labeler), at.get(pair.other)];
      z[a][b] = z[b][a] = pair.value;
      text[a][b] = text[b][a] = `${pair.labeler} and ${pair.other}: ${said(pair)}`;
    }
    const values = pairs.map(({ value }) => value);
    const area = document.getElementById("pairs-plot");
    const isNarrow = area.parentElement.clientWidth < 600;
    const showsNames = order.length <= (isNarrow ? 8 : 60);
    const height = isNarrow ? area.parentElement.clientWidth + 40 : Math.max(320, Math.min(140 + (order.length < 20 ? 32 : 18) * order.length, 860));
    area.style.height = `${height}px`;
    area.style.maxWidth = `${height + 120}px`; // cells are squares
    plot("pairs-plot", [{
      type: "heatmap", x: order, y: order, z, text, hoverongaps: false, hovertemplate: "%{text}<extra></extra>", xgap: 1, ygap: 1,
      zmin: Math.min(0.5, ...values), zmax: Math.max(0.75, ...values), colorscale: [[0, hue.gold], [0.5, hue.sunken], [1, hue.accent]],
      colorbar: { tickformat: ".0%", thickness: 10, outlinewidth: 0, ...(isNarrow ? { orientation: "h", y: 1.02, yanchor: "bottom" } : {}) },
    }], layout(hue, {
      margin: { t: isNarrow ? 56 : 12, r: 12, b: 40, l: 48 },
      xaxis: { type: "category", showticklabels: showsNames, ticks: "", tickangle: -90, dtick: 1, showgrid: false, constrain: "domain" },
      yaxis: { type: "category", showticklabels: showsNames, ticks: "", autorange: "reversed", dtick: 1, showgrid: false, scaleanchor: "x", constrain: "domain" },
    }), ({ x, y, z: value }) => { if (value !== null) go({ labeler: y, other: x }); });
  }

  function drawTime(hue) {
    const lines = periods.filter(({ value }) => value !== null);
    plot("time-plot", [{
      type: "scatter", mode: lines.length > 60 ? "lines" : "lines+markers", x: lines.map(({ since }) => since), y: lines.map(({ value }) => value),
      error_y: { type: "data", symmetric: false, array: reach(lines, "high"), arrayminus: reach(lines, "low"), color: hue.accent, thickness: 2, width: 0 },
      line: { color: hue.accent, width: 1.5 }, marker: { size: 8, color: hue.ink },
      text: lines.map((line) => `${line.since === line.until ? line.since : `${line.since} to ${line.until}`}: ${said(line)}`), hovertemplate: "%{text}<extra></extra>",
    }], layout(hue, { xaxis: { type: "date" }, yaxis: { tickformat: ".1%" } }), ({ pointNumber }) => {
      const { since, until } = lines[pointNumber];
      go({ since, until });
    });
  }

  function draw() {
    const hue = colors();
    if (known.length) drawLabelers(hue);
    if (pairs.length) drawPairs(hue);
    if (periods.some(({ value }) => value !== null) && periods.length > 1) drawTime(hue);
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
