"""The curves of a run in columns: metrics.jsonl read once, and extended by what was appended since."""

import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from training.contract.metrics import Mark, read_since

# Of the runs looked at last; a point is 24 bytes. A run that falls out is read again when somebody looks at it.
MAX_POINTS = 4_000_000


class Curve(NamedTuple):
    """One metric, in the order of its steps. What was null (not finite) is NaN."""

    steps: npt.NDArray[np.int64]  # [points]
    times: npt.NDArray[np.float64]  # [points] seconds since the epoch
    values: npt.NDArray[np.float64]  # [points]


class Columns:
    """All curves of one file."""

    def __init__(self) -> None:
        self.mark = Mark()
        self.began: float | None = None  # the time of the first row
        self._columns: dict[str, tuple[array[int], array[float], array[float]]] = {}

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of metrics.jsonl. A step that comes again replaces the curve from there on: the later row holds."""
        for row in rows:
            step, time = row["step"], row.get("time")
            time = float(time) if isinstance(time, int | float) else 0.0
            if self.began is None:
                self.began = time
            for name, value in row.items():
                if name in ("step", "time") or not (value is None or isinstance(value, int | float)):
                    continue
                column = self._columns.get(name)
                if column is None:
                    column = self._columns[name] = (array("q"), array("d"), array("d"))
                steps, times, values = column
                while steps and steps[-1] >= step:
                    for one in column:
                        one.pop()
                steps.append(step)
                times.append(time)
                values.append(np.nan if value is None else value)

    @property
    def names(self) -> list[str]:
        return list(self._columns)

    @property
    def points(self) -> int:
        return sum(len(steps) for steps, _, _ in self._columns.values())

    def curve(self, name: str) -> Curve:
        """A copy, which does not grow any more."""
        return Curve(*(np.array(column) for column in self._columns[name]))

    def tail(self, name: str, count: int) -> Curve:
        """A copy of the last points, which costs the same however long the curve is."""
        return Curve(*(np.array(column[-count:]) for column in self._columns[name]))

    def length(self, name: str) -> int:
        return len(self._columns[name][0])

    def curves(self) -> dict[str, Curve]:
        return {name: self.curve(name) for name in self._columns}


class Store:
    """Columns by file, each extended when it is asked for; the least recently used go when there are too many."""

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self._max_points = max_points
        self._known: OrderedDict[Path, Columns] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, path: Path) -> Columns:
        """The curves of `path` as they are now; none where there is no such file."""
        with self._guard:
            columns = self._known.pop(path, None) or Columns()
            found = read_since(path, columns.mark)
            if found is None:  # cut by a resumed run, or laid aside
                columns = Columns()
                found = read_since(path, Mark()) or ([], Mark())
            rows, columns.mark = found
            columns.append(rows)
            self._known[path] = columns
            while len(self._known) > 1 and sum(one.points for one in self._known.values()) > self._max_points:
                self._known.popitem(last=False)
            return columns


store = Store()
