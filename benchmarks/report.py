"""What every benchmark prints and writes: a Markdown table for people, JSON lines for programs."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One value under its settings; beside it the peer's, where one was measured in the same run."""

    measure: str
    settings: dict[str, Any]
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None

    def as_line(self) -> str:
        """The JSON line; `peer`, `peer_value` and `ratio` are there only where there is a peer."""
        record = asdict(self)
        if self.peer_value is None:
            del record["peer"], record["peer_value"]
        else:
            record["ratio"] = self.value / self.peer_value
        return json.dumps(record)


def append_lines(path: Path, measurements: Iterable[Measurement]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(measurement.as_line() + "\n" for measurement in measurements)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns; all but the first column are right-aligned."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    rule = [width * "-" if column == 0 else (width - 1) * "-" + ":" for column, width in enumerate(widths)]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "| " + " | ".join(padded) + " |"

    return "\n".join(line(row) for row in [cells[0], rule, *cells[1:]])


def spread(values: Sequence[float], digits: int = 1) -> str:
    """The median, and the lowest and highest of several repeats."""
    middle = f"{median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def machine() -> str:
    """One line about where this ran."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
