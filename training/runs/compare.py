"""Several runs side by side: which, in what colors, and where they differ."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from training.models import Run

MOST = 8


class Compared(NamedTuple):
    run: Run
    color: int  # 0 to MOST - 1; the same run has the same color among the same runs, in whatever order


def chosen(ids: Sequence[str]) -> tuple[list[Compared], int]:
    """The runs of these ids in the order asked for, at most MOST, and how many more were asked for."""
    wanted = list(dict.fromkeys(known for text in ids if (known := _uuid(text)) is not None))
    found = Run.objects.in_bulk(wanted)
    runs = [found[run_id] for run_id in wanted if run_id in found]
    shown = runs[:MOST]
    colors = _colors(shown)
    return [Compared(run, colors[run.pk]) for run in shown], len(runs) - len(shown)


def differing(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """The names whose values are not the same in all rows, with the value of each row (None: not set)."""
    return [(name, values) for name, values in together(rows) if any(value != values[0] for value in values)]


def together(rows: Sequence[dict[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Every name of any row, with the value of each row."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [(name, [row.get(name) for row in rows]) for name in sorted(names)]


def _colors(runs: Sequence[Run]) -> dict[UUID, int]:
    """By the id, so that it stays when others come and go; the next free one where two ids say the same."""
    taken: dict[int, UUID] = {}
    for run in sorted(runs, key=lambda one: (one.created_at, one.pk)):
        color = run.pk.int % MOST
        while color in taken:
            color = (color + 1) % MOST
        taken[color] = run.pk
    return {run_id: color for color, run_id in taken.items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
