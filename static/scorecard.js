// A scorecard's small multiples; the tables beside them say the same.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot, reach } = window.podiumPlots;
  const { positions, speed, weeks, known_weeks: known } = JSON.parse(source.textContent);
  const bars = (hue, more) => ({ type: "bar", marker: { color: hue.accent }, hovertemplate: "%{text}<extra></extra>", ...more });
  const line = (hue, more) => ({
    type: "scatter", mode: "lines+markers", line: { color: hue.accent, width: 1.5 }, marker: { size: 7, color: hue.ink },
    hovertemplate: "%{text}<extra></extra>", ...more,
  });

  function drawPositions(hue) {
    plot("positions-plot", [bars(hue, {
      x: positions.map(({ at }) => at), y: positions.map(({ won }) => won),
      text: positions.map(({ at, won, pairs }) => `${at}. from the top: ${percent(won)} of ${pairs} pairs`), textposition: "none",
    })], layout(hue, {
      xaxis: { title: { text: "place on the page, from the top" }, dtick: 1 }, yaxis: { tickformat: ".0%", range: [0, 1] },
      shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 0.5, y1: 0.5, line: { color: hue["ink-soft"], width: 1, dash: "dash" } }],
    }));
  }

  function drawSpeed(hue) {
    const traces = [bars(hue, {
      x: speed.bins, y: speed.shares, textposition: "none",
      text: speed.bins.map((bin, at) => `${bin} minutes: ${percent(speed.shares[at])}`),
    })];
    if (speed.low) {
      traces.push({
        type: "scatter", mode: "markers", x: speed.bins, y: speed.middle, marker: { symbol: "line-ew-open", size: 14, color: hue.gold, line: { width: 2 } },
        error_y: {
          type: "data", symmetric: false, color: hue.gold, thickness: 3, width: 0,
          array: speed.high.map((high, at) => high - speed.middle[at]), arrayminus: speed.middle.map((middle, at) => middle - speed.low[at]),
        },
        text: speed.bins.map((bin, at) => `others, ${bin} minutes: ${percent(speed.low[at])} to ${percent(speed.high[at])}`), hovertemplate: "%{text}<extra></extra>",
      });
    }
    plot("speed-plot", traces, layout(hue, { xaxis: { type: "category", title: { text: "active minutes a ranking" } }, yaxis: { tickformat: ".0%" } }));
  }

  function drawWeeks(hue) {
    const known = weeks.filter(({ value }) => value !== null);
    if (known.length > 1) {
      plot("weeks-plot", [line(hue, {
        x: known.map(({ since }) => since), y: known.map(({ value }) => value),
        error_y: { type: "data", symmetric: false, array: reach(known, "high"), arrayminus: reach(known, "low"), color: hue.accent, thickness: 2, width: 0 },
        text: known.map(({ since, value, rankings }) => `week from ${since}: ${percent(value)}, ${rankings} rankings`),
      })], layout(hue, { xaxis: { type: "date" }, yaxis: { tickformat: ".0%" } }));
    }
    const timed = weeks.filter(({ minutes }) => minutes !== null);
    if (timed.length > 1) {
      plot("minutes-plot", [line(hue, {
        x: timed.map(({ since }) => since), y: timed.map(({ minutes }) => minutes),
        text: timed.map(({ since, minutes }) => `week from ${since}: ${minutes.toFixed(1)} minutes`),
      })], layout(hue, { xaxis: { type: "date" }, yaxis: { rangemode: "tozero" } }));
    }
  }

  function drawKnown(hue) {
    const kinds = [["gold", hue.gold, "as the gold answers"], ["drift", hue.accent, "as the first time"]];
    const traces = kinds.map(([kind, color, name]) => {
      const there = known.filter((week) => week[kind].pairs);
      return line(hue, {
        x: there.map(({ since }) => since), y: there.map((week) => week[kind].share), name,
        line: { color, width: 1.5 }, marker: { size: 7, color },
        text: there.map(({ since, [kind]: { right, pairs } }) => `week from ${since}: ${right} of ${pairs} pairs ${name}`),
      });
    });
    plot("known-plot", traces, layout(hue, {
      xaxis: { type: "date" }, yaxis: { tickformat: ".0%", range: [0, 1.02] }, showlegend: true,
      margin: { t: 44, r: 12, b: 40, l: 48 }, legend: { orientation: "h", y: 1, yanchor: "bottom" },
    }));
  }

  function draw() {
    const hue = colors();
    if (positions.length) drawPositions(hue);
    if (speed.shares && speed.shares.length) drawSpeed(hue);
    if (document.getElementById("weeks-plot")) drawWeeks(hue);
    if (document.getElementById("known-plot")) drawKnown(hue);
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
