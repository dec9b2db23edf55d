"""What the plots ask for: a bounded number of points of each curve in a range, and the rows that came since."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training import storage
from training.contract.metrics import Mark, read_since
from training.models import Run
from training.runs.series import Columns, Curve, store
from training.runs.thin import Floats, smoothed, thin

MAX_BUCKETS = 2000
MAX_NEW_ROWS = 2000  # a page that slept for so long had better begin anew


class View(NamedTuple):
    """What of the curves somebody looks at."""

    x: str = "step"  # step | minutes (since the first row)
    low: float | None = None
    high: float | None = None
    buckets: int = 400
    smooth: float = 0.0  # weight of the moving average, below 1; 0 is none
    names: Sequence[str] = ()  # none: all


def metrics_file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "metrics.jsonl"


def overview(path: Path, view: View) -> dict[str, Any]:
    """Every curve by at most 3 points a bucket, the mark to ask for news from, and when the run began."""
    columns = store.of(path)
    names = [name for name in columns.names if not view.names or name in view.names]
    curves = {name: _drawn(columns.curve(name), columns, view) for name in names}
    return {"mark": str(columns.mark), "began": columns.began, "curves": curves}


def news(path: Path, mark: Mark) -> dict[str, Any]:
    """The rows after the mark; `again` where the page has to begin anew. Reads no more than what is new."""
    found = read_since(path, mark)
    if found is None or len(found[0]) > MAX_NEW_ROWS:
        return {"again": True}
    rows, mark = found
    return {"mark": str(mark), "rows": rows}


def table(runs: Iterable[Run]) -> Iterator[list[Any]]:
    """Every point of the runs' curves as rows of a CSV, the first of them the names of the columns."""
    yield ["run_id", "run", "curve", "step", "time", "value"]
    for run in runs:
        columns = store.of(metrics_file(run))
        for name in columns.names:
            for step, time, value in zip(*(column.tolist() for column in columns.curve(name)), strict=True):
                yield [str(run.pk), run.name, name, step, time, "" if value != value else value]


class Line(NamedTuple):
    """A curve in a row of a table, for who does not see the plot."""

    name: str
    points: int
    gaps: int
    first: float | None
    last: float | None
    low: float | None
    high: float | None


def lines(run: Run) -> list[Line]:
    """A row for every curve; None where it has no number at all."""
    columns = store.of(metrics_file(run))
    found = []
    for name in sorted(columns.names):
        values = columns.curve(name).values
        numbers = values[np.isfinite(values)]
        ends = (
            [float(x) for x in (numbers[0], numbers[-1], numbers.min(), numbers.max())] if len(numbers) else [None] * 4
        )
        found.append(Line(name, len(values), len(values) - len(numbers), *ends))
    return found


def minutes(curve: Curve, began: float | None) -> Floats:
    """Since the first row; a clock that was put back does not lead backwards."""
    return np.maximum.accumulate((curve.times - (began or 0.0)) / 60)


def _drawn(curve: Curve, columns: Columns, view: View) -> dict[str, Any]:
    x = curve.steps.astype(np.float64) if view.x == "step" else minutes(curve, columns.began)
    # One point more on both sides, so that the line runs to the edge.
    first = 0 if view.low is None else max(0, int(np.searchsorted(x, view.low)) - 1)
    end = len(x) if view.high is None else min(len(x), int(np.searchsorted(x, view.high, "right")) + 1)
    drawn: dict[str, Any] = {"points": len(x)} | _points(x[first:end], curve.values[first:end], view.buckets)
    if view.smooth:
        averages, state = smoothed(curve.values, view.smooth)
        line = _points(x[first:end], averages[first:end], view.buckets)
        count = int(np.isfinite(curve.values).sum())
        drawn["smooth"] = line | {"state": state, "count": count}
    return drawn


def _points(x: Floats, y: Floats, buckets: int) -> dict[str, list[float | None]]:
    kept = thin(x, y, buckets)
    return {"x": [_short(value) for value in x[kept].tolist()], "y": [_short(value) for value in y[kept].tolist()]}


def _short(value: float) -> float | None:
    """As many digits as a screen can show; nothing for what is not a number."""
    if value != value:
        return None
    return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")
