// The page of figures: the plots say what the tables below them say, and a point leads to its judgements or its run.
(() => {
  "use strict";
  const source = document.getElementById("plotted");
  if (!source || !window.Plotly) return;
  const { percent, colors, layout, plot, reach } = window.podiumPlots;
  const { items, runs, by, preference, cohorts, flags, ratings, tax, paper } = JSON.parse(source.textContent);
  const KINDS = { base: ["Base", "ink-soft", "circle"], sft: ["SFT", "gold", "square"], ppo: ["PPO", "ink", "diamond"], ppo_ptx: ["PPO-ptx", "accent", "triangle-up"] };
  const kinds = (lines) => Object.keys(KINDS).filter((kind) => lines.some((line) => line.kind === kind));
  const legend = { showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { t: 36, r: 12, b: 44, l: 56 } };
  const range = ({ low, high }, write) => (low === null ? "" : ` (${write(low)} to ${write(high)})`);
  const said = (line) => `${line.policy}: ${percent(line.value)}${range(line, percent)}, ${line.prompts} prompts`;
  const go = (more) => location.assign(`${items}?${new URLSearchParams(more)}`);
  const bars = (lines, hue, color) => ({ type: "data", symmetric: false, array: reach(lines, "high"), arrayminus: reach(lines, "low"), color: hue[color], thickness: 1.5, width: 0 });
  const show = (id, height) => { document.getElementById(id).style.height = `${height}px`; };

  function drawPreference(hue) {
    const sized = preference.filter(({ parameters }) => parameters !== null);
    if (!sized.length) return;
    const traces = kinds(sized).map((kind) => {
      const lines = sized.filter((line) => line.kind === kind).sort((a, b) => a.parameters - b.parameters);
      const [name, color, symbol] = KINDS[kind];
      return {
        type: "scatter", mode: lines.length > 1 ? "lines+markers" : "markers", name, x: lines.map((line) => line.parameters), y: lines.map((line) => line.value),
        error_y: bars(lines, hue, color), line: { color: hue[color] }, marker: { color: hue[color], symbol, size: 10 }, customdata: lines,
        text: lines.map((line) => `${said(line)}, against ${line.baseline_name}`), hovertemplate: "%{text}<extra></extra>",
      };
    });
    const marks = paper.preference;
    const across = (value, dash) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value, line: { color: hue["ink-soft"], width: 1, dash } });
    show("preference-plot", 360);
    plot("preference-plot", traces, layout(hue, {
      ...legend, xaxis: { type: "log", dtick: "D2", tickformat: "~s", title: { text: "parameters" } }, yaxis: { tickformat: ".0%", range: [-0.03, 1.03], title: { text: "preferred to the baseline" } },
      shapes: [across(0.5, "solid"), ...marks.map((mark) => across(mark.value, "dot"))],
      annotations: marks.map((mark, at) => ({ // by turns at both ends, above and below: two of the paper's marks lie close together
        xref: "paper", x: at % 2, xanchor: at % 2 ? "right" : "left", y: mark.value, yanchor: at % 2 ? "top" : "bottom", showarrow: false, text: `the paper’s ${mark.label.split(" against")[0]}`, font: { size: 10, color: hue["ink-soft"] },
      })),
    }), ({ customdata: line }) => go({ policy: line.checkpoint, baseline: line.baseline }));
  }

  function drawCohorts(hue) {
    const places = [...new Set(cohorts.map((line) => `${line.label}, ${line.cohort_label.toLowerCase()}`))];
    const traces = kinds(cohorts).map((kind) => {
      const lines = cohorts.filter((line) => line.kind === kind);
      const [name, color, symbol] = KINDS[kind];
      return {
        type: "scatter", mode: "markers", name, y: lines.map((line) => `${line.label}, ${line.cohort_label.toLowerCase()}`), x: lines.map((line) => line.value),
        error_x: bars(lines, hue, color), marker: { color: hue[color], symbol, size: 9 }, customdata: lines,
        text: lines.map(said), hovertemplate: "%{text}<extra></extra>",
      };
    });
    show("cohorts-plot", Math.max(220, 110 + 30 * places.length));
    plot("cohorts-plot", traces, layout(hue, {
      ...legend, scattermode: "group", xaxis: { tickformat: ".0%", range: [-0.03, 1.03], title: { text: "preferred to the baseline" } }, yaxis: { type: "category", autorange: "reversed", dtick: 1 },
      shapes: [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0.5, x1: 0.5, line: { color: hue["ink-soft"], width: 1, dash: "dot" } }],
    }), ({ customdata: line }) => go({ policy: line.checkpoint, baseline: line.baseline, cohort: line.cohort, [by]: line.value_of }));
  }

  function drawFlags(hue) {
    const lines = flags.flatMap((flag) => flag.lines.map((line) => ({ ...line, flag: flag.flag, label: flag.label })));
    if (!lines.length) return;
    const traces = kinds(lines).map((kind) => {
      const own = lines.filter((line) => line.kind === kind);
      const [name, color, symbol] = KINDS[kind];
      return {
        type: "scatter", mode: "markers", name, y: own.map((line) => line.label), x: own.map((line) => line.value), error_x: bars(own, hue, color),
        marker: { color: hue[color], symbol, size: 8 }, customdata: own, text: own.map((line) => `${line.label}, ${line.policy}: ${percent(line.value)}${range(line, percent)}, ${line.answers} outputs`),
        hovertemplate: "%{text}<extra></extra>",
      };
    });
    const marks = flags.flatMap((flag) => flag.paper.map((mark) => ({ ...mark, flag: flag.label })));
    if (marks.length) traces.push({
      type: "scatter", mode: "markers", name: "the paper’s", y: marks.map((mark) => mark.flag), x: marks.map((mark) => mark.value), marker: { color: hue["ink-soft"], symbol: "x-thin-open", size: 10 },
      text: marks.map((mark) => `the paper: ${mark.label}, ${percent(mark.value)}`), hovertemplate: "%{text}<extra></extra>",
    });
    show("flags-plot", 110 + 38 * flags.length);
    plot("flags-plot", traces, layout(hue, { ...legend, scattermode: "group", xaxis: { tickformat: ".0%", rangemode: "tozero", title: { text: "share of outputs" } }, yaxis: { type: "category", autorange: "reversed", dtick: 1 } }),
      ({ customdata: line }) => { if (line) go({ policy: line.checkpoint, flag: line.flag }); });
  }

  function drawValues(id, lines, hue, axis, click) {
    const write = (value) => value.toPrecision(4);
    plot(id, [{
      type: "scatter", mode: "markers", x: lines.map((line) => line.policy), y: lines.map((line) => line.value), error_y: bars(lines, hue, "accent"),
      marker: { color: lines.map((line) => hue[KINDS[line.kind][1]]), symbol: lines.map((line) => KINDS[line.kind][2]), size: 10 }, customdata: lines,
      text: lines.map((line) => `${line.policy}: ${write(line.value)}${range(line, write)}`), hovertemplate: "%{text}<extra></extra>",
    }], layout(hue, { xaxis: { type: "category", tickangle: 0, tickfont: { size: 10 } }, yaxis: axis }), click);
  }

  function drawTax(hue) {
    const area = document.getElementById("tax-plots");
    if (!area) return;
    tax.forEach((task, at) => {
      if (!document.getElementById(`tax-${at}`)) {
        const box = document.createElement("div");
        const [title, inner] = [document.createElement("h3"), document.createElement("div")];
        box.className = "plot";
        title.textContent = `${task.name} (${task.lower_is_better ? "lower" : "higher"} is better)`;
        inner.className = "plot-area";
        inner.id = `tax-${at}`;
        box.append(title, inner);
        area.append(box);
      }
    });
    // Only now has every box its width.
    tax.forEach((task, at) => drawValues(`tax-${at}`, task.lines, hue, {}, ({ customdata: line }) => location.assign(`${runs}${line.run}/`)));
  }

  function draw() {
    const hue = colors();
    if (preference.length) drawPreference(hue);
    if (cohorts.length) drawCohorts(hue);
    drawFlags(hue);
    if (ratings.length) drawValues("ratings-plot", ratings, hue, { range: [1, 7], dtick: 1 }, ({ customdata: line }) => go({ policy: line.checkpoint }));
    drawTax(hue);
  }
  document.addEventListener("podium:theme", draw);
  draw();
})();
