// What the plots of agreement and of scorecards share: colors of the theme, axes, and a click that leads somewhere.
window.podiumPlots = (() => {
  "use strict";
  const percent = (value) => `${(100 * value).toFixed(1)} %`;

  function colors() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span"); // resolves light-dark() to the color in use
    document.body.append(probe);
    const color = (token) => {
      probe.style.color = style.getPropertyValue(token);
      return getComputedStyle(probe).color;
    };
    const found = Object.fromEntries(["accent", "gold", "ink", "ink-soft", "line", "surface", "sunken"].map((name) => [name, color(`--${name}`)]));
    probe.remove();
    return { ...found, font: style.getPropertyValue("--ui") };
  }

  function layout(hue, more) {
    // With a standoff Plotly makes room for a title; without one it may lie below the edge.
    const titled = (own) => (own?.title ? { ...own, title: { standoff: 8, ...own.title } } : own);
    const axis = { gridcolor: hue.line, zerolinecolor: hue.line, linecolor: hue.line, automargin: true };
    return {
      margin: { t: 8, r: 12, b: 40, l: 48 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
      font: { color: hue["ink-soft"], family: hue.font, size: 12 }, hoverlabel: { bgcolor: hue.surface, font: { color: hue.ink } },
      showlegend: false, ...more, xaxis: { ...axis, ...titled(more.xaxis) }, yaxis: { ...axis, ...titled(more.yaxis) },
    };
  }

  function plot(id, traces, shape, click) {
    const area = document.getElementById(id);
    area.hidden = false;
    window.Plotly.react(area, traces, shape, { displayModeBar: false, responsive: true });
    if (click && !area.dataset.leads) area.on("plotly_click", ({ points: [point] }) => click(point));
    area.dataset.leads = "yes";
  }

  const reach = (lines, end) => lines.map((line) => (line.low === null ? 0 : Math.abs(line[end] - line.value)));

  return { percent, colors, layout, plot, reach };
})();
