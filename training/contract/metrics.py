"""metrics.jsonl: the curves of a run, append-only, one object a line: {"step": 3, "time": ..., "loss/policy": ...}.

The recipe appends, the web application reads the tail by byte offset while the file grows.
"""

import json
import math
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

MARKED_BYTES = 128  # a row has its time to the millisecond: the same bytes at the same place are the same row


class MetricsWriter:
    """Appends rows of numbers. Whole lines only, so that a reader never sees half a number."""

    def __init__(self, path: Path, resumed_step: int = 0) -> None:
        """Drop the rows after `resumed_step`: the resumed run writes them again, and a curve has no doubles."""
        truncate_after(path, resumed_step)
        self._file = path.open("a", encoding="utf-8")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One row, on disk before this returns; `values` by the name of their curve."""
        row: dict[str, float | int | None] = {"step": step, "time": round(time.time(), 3)}
        # JSON has no NaN: a value that is not finite becomes null, which plots as a gap.
        row.update({name: float(value) if math.isfinite(value) else None for name, value in values.items()})
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing more can be written."""
        self._file.close()


def truncate_after(path: Path, step: int) -> None:
    """Keep the rows up to and including `step`; a torn last line goes too. Rows are in the order of their steps.

    A run that begins anew (step 0) keeps none.
    """
    if not path.exists():
        return
    if step == 0:
        os.truncate(path, 0)
        return
    keep = 0
    with path.open("rb") as lines:
        for line in lines:
            row = _parse(line)
            if row is None or row["step"] > step:
                break
            keep += len(line)
    os.truncate(path, keep)


def _parse(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


def read_metrics(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Rows that begin at byte `offset` or later, and the offset for the next call.

    A line that is still being written is left for the next call. A file that has become shorter than `offset` (a
    resumed run truncates it) is read again from its beginning. Readers key points by name and step: for a step that
    comes twice, the later row holds.
    """
    if not path.exists():
        return [], 0
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(offset if offset <= size else 0)
        end = file.tell()
        rows = []
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            row = _parse(line)
            if row is not None:
                rows.append(row)
    return rows, end


class Mark(NamedTuple):
    """How far a file was read, and a checksum of the bytes before: it tells whether the file was cut meanwhile.

    A resumed run cuts off rows and writes them again; soon the file is as long as before, and a length says nothing.
    """

    offset: int = 0
    check: int = 0

    def __str__(self) -> str:
        return f"{self.offset}-{self.check}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text. Raises ValueError."""
        offset, _, check = text.partition("-")
        if not (offset.isdecimal() and check.isdecimal() and len(offset) <= 15 and len(check) <= 10):
            raise ValueError(f"{text!r} is no mark.")
        return cls(int(offset), int(check))


def read_since(path: Path, mark: Mark) -> tuple[list[dict[str, Any]], Mark] | None:
    """The whole rows after `mark`, and the mark to go on from. None where the file was cut: read it from Mark()."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return ([], mark) if mark == Mark() else None
    with file:
        before = _bytes_before(file, mark.offset)
        if before is None or zlib.crc32(before) != mark.check:
            return None
        data = file.read()
    data = data[: data.rfind(b"\n") + 1]
    rows = [row for line in data.splitlines(keepends=True) if (row := _parse(line)) is not None]
    return rows, Mark(mark.offset + len(data), zlib.crc32((before + data)[-MARKED_BYTES:]))


def _bytes_before(file: Any, offset: int) -> bytes | None:
    """The last MARKED_BYTES before `offset`, where the file then stands; None where it is not as long."""
    file.seek(max(0, offset - MARKED_BYTES))
    found: bytes = file.read(min(offset, MARKED_BYTES))
    return found if len(found) == min(offset, MARKED_BYTES) else None
