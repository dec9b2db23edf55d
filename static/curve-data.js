// The curves of runs as they grow. Of each the server sends a bounded number of points (an overview of the range that is
// looked at), then only the rows that are new. A range, another axis or another smoothing asks for a new overview.
window.podiumCurves = (() => {
  "use strict";
  const BUCKETS = 400;
  const MANY = 4000; // points of one curve in the browser; then the overview is asked for again

  async function ask(url, query) {
    const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.json();
  }

  // One run: `curves` is name → {x, y, points, smooth: {x, y, state, count}}.
  function follow({ name, url, color }) {
    const run = { name, color, curves: new Map(), live: true, load, news };
    let mark = "", began = null, view = null, asked = 0;

    // view: {x: "step" | "minutes", smooth, low, high}
    async function load(wanted) {
      const turn = ++asked;
      const query = new URLSearchParams({ x: wanted.x, smooth: wanted.smooth, buckets: BUCKETS });
      if (wanted.low !== null) { query.set("low", wanted.low); query.set("high", wanted.high); }
      const answer = await ask(url, query);
      if (turn !== asked) return; // somebody has asked for another view meanwhile
      view = wanted;
      mark = answer.mark;
      began = answer.began;
      run.live = answer.live;
      run.curves = new Map(Object.entries(answer.curves));
    }

    function append({ step, time, ...values }) {
      began ??= time ?? 0; // of the very first row
      const x = view.x === "step" ? step : ((time ?? 0) - began) / 60;
      for (const [metric, y] of Object.entries(values)) {
        if (typeof y !== "number" && y !== null) continue;
        if (!run.curves.has(metric)) run.curves.set(metric, { x: [], y: [], points: 0, ...(view.smooth ? { smooth: { x: [], y: [], state: 0, count: 0 } } : {}) });
        const curve = run.curves.get(metric);
        if (curve.x.length && curve.x.at(-1) >= x && view.x === "step") return false; // rows that replace others
        curve.x.push(x);
        curve.y.push(y);
        curve.points += 1;
        const line = curve.smooth;
        if (line) {
          if (y !== null) {
            line.state = view.smooth * line.state + (1 - view.smooth) * y;
            line.count += 1;
          }
          line.x.push(x);
          line.y.push(y === null ? null : line.state / (1 - view.smooth ** line.count));
        }
        if (curve.x.length > MANY) return false;
      }
      return true;
    }

    // Whether there is anything new. A range that is looked at closely stays as it is.
    async function news() {
      if (!mark || view.low !== null) return false;
      const turn = asked;
      const answer = await ask(url, new URLSearchParams({ after: mark }));
      if (turn !== asked) return false;
      run.live = answer.live;
      if (answer.again || !answer.rows.every(append)) {
        await load(view);
        return true;
      }
      mark = answer.mark;
      return answer.rows.length > 0;
    }

    return run;
  }

  return { follow };
})();
