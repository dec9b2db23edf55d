"""PURE. Rankings of the same completions held against each other, two labelers at a time.

A *pair* here is two completions of an item; two labelers can order it alike, the other way round, or one or both of
them can see a tie. From these five counts follow the agreement under either rule for ties, Kendall's tau-b, and the
Kemeny distance. All are computed for whole columns of rankings at once.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.resampling import Floats, Ints, Observations

AT_ONCE = 1 << 16  # comparisons held in memory at a time


class Rankings(NamedTuple):
    """R rankings of up to K completions. An item's completions have the same columns in all of its rankings.

    `places`: [R, K] unsigned, 1 is best, equal places are a tie, 0: not ranked. `item`: [R], from 0, ascending.
    `labeler`: [R], from 0.
    """

    places: NDArray[np.uint8]
    item: Ints
    labeler: Ints


class Compared(NamedTuple):
    """Two labelers' rankings of one item, for every such two: each field [N].

    `first`, `second`: rows of the rankings. The others count pairs of completions: ordered alike, the other way round,
    tied by the first labeler alone, by the second alone, by both.
    """

    first: Ints
    second: Ints
    alike: Ints
    opposite: Ints
    tied_first: Ints
    tied_second: Ints
    tied_both: Ints


def summed_by_item(rows: NDArray[Any], item: Ints, items: int) -> NDArray[Any]:
    """The sums of the rows [R, columns] of each item, whose numbers ascend: [items, columns]."""
    summed = np.zeros((items, rows.shape[1]), dtype=np.result_type(rows.dtype, np.int16))
    if rows.size:
        starts = np.flatnonzero(np.diff(item, prepend=-1))
        summed[item[starts]] = np.add.reduceat(rows, starts, axis=0, dtype=summed.dtype)
    return summed


def within_items(item: Ints) -> tuple[Ints, Ints]:
    """Rows of every two rankings of the same item, given the items of all rankings in ascending order."""
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    sizes = np.diff(starts, append=len(item))
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        one, other = np.triu_indices(size, k=1)
        base = starts[sizes == size][:, None]
        first.append((base + one).ravel())
        second.append((base + other).ravel())
    return np.concatenate(first), np.concatenate(second)


def orders(places: NDArray[np.uint8]) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Of each ranking, every pair of completions: [R, pairs], 1 where the one that comes first in the columns is
    preferred, -1 the other, 0 a tie; and whether both were ranked at all."""
    one, other = np.triu_indices(places.shape[1], k=1)
    placed = places.astype(np.int8)
    known = (placed[:, one] > 0) & (placed[:, other] > 0)
    order = np.sign(placed[:, other] - placed[:, one])
    order[~known] = 0
    return order, known


def compare(rankings: Rankings) -> Compared:
    """Every two rankings of the same item."""
    first, second = within_items(rankings.item)
    order, known = orders(rankings.places)
    counts = [
        _counts(order[first[at]], order[second[at]], known[first[at]] & known[second[at]])
        for at in (slice(start, start + AT_ONCE) for start in range(0, len(first), AT_ONCE))
    ]
    columns = np.concatenate([np.empty((5, 0), np.int64), *counts], axis=1)
    return Compared(first, second, *columns)


def _counts(mine: NDArray[np.int8], theirs: NDArray[np.int8], known: NDArray[np.bool_]) -> NDArray[Any]:
    mine, theirs = np.where(known, mine, 0), np.where(known, theirs, 0)
    both = mine * theirs
    strict = np.count_nonzero(both, axis=1)
    alike = (strict + both.sum(axis=1, dtype=np.int64)) // 2
    tied_second = np.count_nonzero(mine, axis=1) - strict
    tied_first = np.count_nonzero(theirs, axis=1) - strict
    tied_both = np.count_nonzero(known, axis=1) - strict - tied_first - tied_second
    return np.stack([alike, strict - alike, tied_first, tied_second, tied_both])


def ties_excluded(compared: Compared, item: Ints) -> Observations:
    """Ordered alike, of the pairs in which both labelers preferred one (as Stiennon et al. 2020 count)."""
    return Observations(
        compared.alike.astype(float), (compared.alike + compared.opposite).astype(float), item[compared.first]
    )


def ties_half(compared: Compared, item: Ints) -> Observations:
    """Of all pairs: 1 where both say the same (a tie of both included), 1/2 where one alone sees a tie, 0 where they
    are opposed (the tie-discounted accuracy of Zhou et al. 2023, 'LIMA', §4)."""
    ones = compared.alike + compared.tied_both + (compared.tied_first + compared.tied_second) / 2
    return Observations(ones, _pairs(compared).astype(float), item[compared.first])


def tau_b(compared: Compared) -> Floats:
    """Kendall's tau-b of every two rankings: [N]; NaN where one of them ties everything."""
    strict = compared.alike + compared.opposite
    mine, theirs = strict + compared.tied_second, strict + compared.tied_first
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: Floats = (compared.alike - compared.opposite) / np.sqrt(mine * theirs)
    return tau


def mean_tau_b(compared: Compared, item: Ints) -> Observations:
    """The mean of tau-b over every two rankings where it is defined."""
    tau = tau_b(compared)
    defined = ~np.isnan(tau)
    return Observations(np.where(defined, tau, 0.0), defined.astype(float), item[compared.first])


def distance(compared: Compared) -> Floats:
    """Kemeny's distance of every two rankings, from 0 (the same) to 1 (reversed): [N]; NaN where no pair is known.

    A pair ordered the other way round counts 1, a pair that one of the two ties counts 1/2.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        apart: Floats = (compared.opposite + (compared.tied_first + compared.tied_second) / 2) / _pairs(compared)
    return apart


def _pairs(compared: Compared) -> Ints:
    counted: Ints = compared.alike + compared.opposite + compared.tied_first + compared.tied_second + compared.tied_both
    return counted


def against_the_others(rankings: Rankings, items: int) -> Observations:
    """Each ranking against the majority of the other labelers on its item, pair by pair: [R].

    A pair counts where the labeler prefers one and more of the others prefer one than the other: ties of either side
    are excluded. The others vote without the labeler (leave one out).
    """
    order, _ = orders(rankings.places)
    votes = summed_by_item(order, rankings.item, items)
    others = np.sign(votes[rankings.item] - order).astype(np.int8)
    both = order * others
    strict = np.count_nonzero(both, axis=1)
    alike = (strict + both.sum(axis=1, dtype=np.int64)) / 2
    return Observations(alike, strict.astype(float), rankings.item)
