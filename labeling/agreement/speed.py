"""PURE. How long a labeler's pieces take, beside the other labelers', and how that changes."""

from typing import NamedTuple

import numpy as np

from labeling.agreement.resampling import Floats, Ints

EDGES = (0.0, 0.5, 1, 2, 3, 4, 6, 8, 12, 20)  # minutes; the last bin has no end


class Speed(NamedTuple):
    """`shares`: of the labeler's pieces, in each bin of EDGES; `low`, `middle`, `high`: quartiles of the other
    labelers' shares in it, None where there are none. Medians are in minutes."""

    pieces: int
    median: float | None
    others_median: float | None
    shares: list[float]
    low: list[float] | None
    middle: list[float] | None
    high: list[float] | None


def medians(labeler: Ints, minutes: Floats, labelers: Ints) -> Floats:
    """Of each of these labelers, NaN for who has no piece."""
    found = np.full(len(labelers), np.nan)
    for at, one in enumerate(labelers.tolist()):
        own = minutes[labeler == one]
        if len(own):
            found[at] = np.median(own)
    return found


def speeds(labeler: Ints, minutes: Floats, labelers: Ints) -> list[Speed]:
    """Of each of these labelers, from the pieces [N] of all."""
    middle = medians(labeler, minutes, labelers)
    tables = [_shares(minutes[labeler == one]) for one in labelers.tolist()]
    return [_speed(at, labeler, middle, tables, one) for at, one in enumerate(labelers.tolist())]


def _shares(minutes: Floats) -> Floats | None:
    if not len(minutes):
        return None
    bins = np.searchsorted(EDGES, minutes, side="right") - 1
    shares: Floats = np.bincount(np.clip(bins, 0, len(EDGES) - 1), minlength=len(EDGES)) / len(minutes)
    return shares


def _speed(at: int, labeler: Ints, middle: Floats, tables: list[Floats | None], one: int) -> Speed:
    own = tables[at]
    others = [table for other, table in enumerate(tables) if other != at and table is not None]
    known = np.delete(middle, at)
    known = known[~np.isnan(known)]
    band = np.quantile(np.stack(others), [0.25, 0.5, 0.75], axis=0).tolist() if others else [None] * 3
    return Speed(
        pieces=int(np.count_nonzero(labeler == one)),
        median=None if np.isnan(middle[at]) else float(middle[at]),
        others_median=float(np.median(known)) if len(known) else None,
        shares=[] if own is None else own.tolist(),
        low=band[0],
        middle=band[1],
        high=band[2],
    )
