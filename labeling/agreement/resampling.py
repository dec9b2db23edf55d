"""PURE. Intervals for figures that are formulas of sums over items.

Labels of one item are not independent, items are: so whole items are drawn. Each figure needs only sums over items,
hence a draw is a vector of weights, and all figures of all draws are one product of matrices, whatever the number of
labels.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, vstack

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

RESAMPLES = 1000
AT_ONCE = 100  # draws held in memory at a time, for each core
CORES = 4  # at most: each holds 16 MB for 20,000 items, and one page is not to take a whole server
FEWEST = 5  # items: a handful drawn with replacement tells too little about others


class Estimate(NamedTuple):
    """A figure with its 95 % interval (percentile bootstrap), and how many items it rests on.

    `low` and `high` are None where the items are fewer than FEWEST.
    """

    value: float
    low: float | None
    high: float | None
    items: int


class Measure(NamedTuple):
    """A figure as sums over items and a formula of the sums.

    `per_item`: [items, columns]. `formula`: sums [..., columns] → values [...], NaN where undefined.
    """

    per_item: Floats
    formula: Callable[[Floats], Floats]


class Observations(NamedTuple):
    """What ratios are made of, each [N]: what is summed above and below the line, and the item it belongs to."""

    above: Floats
    below: Floats
    item: Ints


class Cells(NamedTuple):
    """Many ratios of sums at once, each from few of the items: two sparse matrices [cells, items]."""

    above: csr_array
    below: csr_array


def cells(seen: Observations, cell: Ints | None = None, *, count: int = 1, items: int) -> Cells:
    """One ratio for each of `count` cells; `cell[i]` says where observation i belongs, negative: nowhere.

    Without `cell` it is one ratio over everything.
    """
    where = np.zeros(len(seen.item), dtype=np.int64) if cell is None else cell
    kept = (where >= 0) & (seen.below > 0)
    place = (where[kept], seen.item[kept])
    above, below = (
        coo_array((values[kept].astype(np.float32), place), shape=(count, items)).tocsr()
        for values in (seen.above, seen.below)
    )
    return Cells(above, below)


def ratio(seen: Observations, *, items: int) -> Measure:
    """One ratio over everything."""
    above, below = (np.bincount(seen.item, weights=values, minlength=items) for values in (seen.above, seen.below))
    return Measure(np.stack([above, below], axis=1), first_over_second)


def first_over_second(sums: Floats) -> Floats:
    """The formula of a ratio; NaN over nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)


def estimates(
    measures: Sequence[Measure], ratios: Sequence[Cells] = (), *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[list[Estimate | None], list[list[Estimate | None]]]:
    """The measures' and the cells' estimates, None where undefined, over the same draws of the same items.

    Measures that share their sums (the same array) are drawn once.
    """
    sums = {id(measure.per_item): measure.per_item for measure in measures}
    dense = [np.ascontiguousarray(per_item.T, dtype=np.float32) for per_item in sums.values()]
    sparse = [matrix for one in ratios for matrix in one]
    items = {matrix.shape[1] for matrix in [*dense, *sparse]}
    if len(items) > 1:
        raise ValueError(f"The figures rest on different lists of items: {sorted(items)}.")
    if not items or items == {0}:
        return [None for _ in measures], [[None] * one.above.shape[0] for one in ratios]
    drawn_dense, drawn_sparse = _drawn(dense, sparse, items.pop(), resamples, seed)
    totals = dict(zip(sums, _cut(drawn_dense, dense), strict=True))
    of_measures = [_measured(measure, totals[id(measure.per_item)]) for measure in measures]
    parts = iter(_cut(drawn_sparse, sparse))
    return of_measures, [_ratios(one, next(parts), next(parts)) for one in ratios]


def estimate(measure: Measure, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate | None:
    """One measure's estimate; None where it is undefined."""
    return estimates([measure], resamples=resamples, seed=seed)[0][0]


def _drawn(
    dense: Sequence[Floats], sparse: Sequence[csr_array], items: int, resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """The sums of every draw: [rows of all dense, resamples] and [rows of all sparse, resamples]."""
    wide = np.concatenate([np.empty((0, items), np.float32), *dense])
    long = vstack([csr_array((0, items), dtype=np.float32), *sparse], format="csr")

    def some(start: int) -> tuple[Floats, Floats]:
        weights = _weights(items, min(AT_ONCE, resamples - start), seed=(seed, start))
        return wide @ weights, long @ weights

    # numpy and scipy let go of the interpreter while they multiply.
    with ThreadPoolExecutor(min(CORES, os.cpu_count() or 1)) as pool:
        of_wide, of_long = zip(*pool.map(some, range(0, resamples, AT_ONCE)), strict=True)
    return np.concatenate(of_wide, axis=1), np.concatenate(of_long, axis=1)


def _weights(items: int, draws: int, seed: tuple[int, int]) -> Floats:
    """How often each item was drawn: [items, draws]."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((draws, items), dtype=np.float32)
    for draw in range(draws):  # counting drawn items is ten times as fast as a multinomial
        drawn[draw] = np.bincount(rng.integers(0, items, items), minlength=items)
    return np.ascontiguousarray(drawn.T)


def _cut(totals: Floats, matrices: Sequence[Any]) -> list[Floats]:
    ends = np.cumsum([matrix.shape[0] for matrix in matrices])
    return np.split(totals, ends[:-1]) if len(matrices) else []


def _measured(measure: Measure, totals: Floats) -> Estimate | None:
    value = measure.formula(measure.per_item.sum(axis=0, dtype=np.float64))
    items = np.count_nonzero(np.any(measure.per_item != 0, axis=1))
    drawn = measure.formula(totals.T.astype(np.float64))
    return _listed(np.array([value]), drawn[None], np.array([items]))[0]


def _ratios(one: Cells, above: Floats, below: Floats) -> list[Estimate | None]:
    """Above and below: [cells, resamples]."""
    sums = np.stack([matrix.sum(axis=1, dtype=np.float64) for matrix in one], axis=-1)
    drawn = first_over_second(np.stack([above, below], axis=-1))
    return _listed(first_over_second(sums), drawn, np.diff(one.below.indptr))


def _listed(values: Floats, drawn: Floats, items: Ints) -> list[Estimate | None]:
    """[cells], [cells, resamples], [cells]; the interval lies between the 2.5 and 97.5 percentiles of the draws in
    which a figure is defined."""
    holes = np.isnan(drawn).any(axis=1)
    ends = np.full((len(values), 2), np.nan)
    ends[~holes] = np.quantile(drawn[~holes], [0.025, 0.975], axis=1).T
    for row in np.flatnonzero(holes & (items >= FEWEST)):
        if len(defined := drawn[row][~np.isnan(drawn[row])]):
            ends[row] = np.quantile(defined, [0.025, 0.975])
    ends[items < FEWEST] = np.nan
    known = [[None if np.isnan(end) else end for end in both] for both in ends.tolist()]
    return [
        None if np.isnan(value) else Estimate(value, low, high, count)
        for value, (low, high), count in zip(values.tolist(), known, items.tolist(), strict=True)
    ]
