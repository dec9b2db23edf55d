// The plots of a judgement's results. Each bar leads to the rankings behind it; the tables below say the same.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot, reach } = window.podiumPlots;
  const { items, against, policies, wins } = JSON.parse(source.textContent);
  const go = (choice) => location.assign(`${items}?${new URLSearchParams(choice)}`);

  function bars(id, hue, lines, { written, base, axis, lead }) {
    const known = lines.filter(({ value }) => value !== null);
    if (!known.length) return;
    plot(id, [{
      type: "bar", x: known.map(({ policy }) => policy), y: known.map(({ value }) => value - base), base,
      error_y: { type: "data", symmetric: false, array: reach(known, "high"), arrayminus: reach(known, "low"), color: hue.ink, thickness: 1.5, width: 4 },
      marker: { color: hue.accent }, width: 0.5,
      text: known.map(({ policy, value, low, high, prompts }) => `${policy}: ${written(value)}${low === null ? "" : ` (${written(low)} to ${written(high)})`}, ${prompts} prompts`),
      textposition: "none", hovertemplate: "%{text}<extra></extra>",
    }], layout(hue, { xaxis: { type: "category" }, yaxis: axis }), ({ x }) => go(lead(x)));
  }

  function draw() {
    const hue = colors();
    bars("wins-plot", hue, wins.map(({ policy, win }) => ({ policy, ...win })), {
      written: percent, base: 0.5, axis: { tickformat: ".0%", zeroline: false }, lead: (policy) => ({ policy, other: against }),
    });
    bars("strengths-plot", hue, policies.map(({ policy, strength }) => ({ policy, ...strength })), {
      written: (value) => value.toFixed(2), base: 0, axis: {}, lead: (policy) => ({ policy }),
    });
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
