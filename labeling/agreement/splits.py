"""PURE. Where labelers come apart by groups: given ones (cohorts), or two that their agreement on a topic falls into.

The *signed agreement* of two rankings of an item is (alike - opposite) / (alike + opposite), from -1 to 1: twice the
agreement, less 1. What two labelers are expected to have is c r_a r_b, where r is how reliably each of them follows the
common order (fitted to the items of all other topics) and c how hard this topic is: a careless labeler agrees with
nobody, and is no group. What is above or below that is summed over every two labelers: with g = ±1 for the groups, T =
sum of g_a g_b (S_ab - N_ab c r_a r_b) is large where labelers agree more within the groups than between them.

T is held against the same sum with the groups' names dealt out anew among the labelers (a permutation test, one-sided).
Two groups that are not given are found on one half of the topic's items and tested on the other half, both ways round:
else the groups would fit the noise that they were found in. Several topics are tested at once, so p-values are adjusted
by Holm's method: with ALPHA = 0.05, the chance that any topic without groups is listed is at most about 5 %. And what
is certain but small does not matter: within and between have to lie APART.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labeling.agreement.pairs import Compared
from labeling.agreement.resampling import Floats, Ints

ALPHA = 0.05
APART = 0.05  # of pairs, within above between: of less it does not matter, however certain it is
PERMUTATIONS = 9999
FEWEST_LABELERS = 6  # of fewer, the names of two groups can be dealt out in too few ways for a small p
FEWEST_COMPARISONS = 60  # in the topic: of fewer, two groups cannot be told from noise


class Agreements(NamedTuple):
    """Of every two labelers, both [labelers, labelers] and symmetric: signed agreements summed, and how many."""

    signed: Floats
    times: Floats


class Signed(NamedTuple):
    """Comparisons in which both put a pair in order, each [N]: two labelers, the item, the signed agreement."""

    one: Ints
    other: Ints
    item: Ints
    value: Floats


class Split(NamedTuple):
    """`group`: [labelers], 1 or -1, 0 for who has none. `within`, `between`: agreement (shares of pairs, each
    comparison counting the same) of two labelers of the same group and of different ones, NaN where there are none; of
    groups that were found, on items that they were not found on. `p`: of the permutation test."""

    group: Ints
    within: float
    between: float
    comparisons: int
    p: float


def signed(compared: Compared, item: Ints, labeler: Ints) -> Signed:
    strict = compared.alike + compared.opposite
    kept = strict > 0
    value = (compared.alike[kept] - compared.opposite[kept]) / strict[kept]
    first, second = compared.first[kept], compared.second[kept]
    return Signed(labeler[first], labeler[second], item[first], value)


def of_rows(seen: Signed, rows: Ints, labelers: int) -> Agreements:
    """The agreements of these comparisons."""
    at = seen.one[rows] * labelers + seen.other[rows]
    tables = [np.bincount(at, weights, labelers**2).reshape(labelers, labelers) for weights in (seen.value[rows], None)]
    summed, count = (table + table.T for table in tables)
    return Agreements(summed.astype(float), count.astype(float))


def reliability(known: Agreements, rounds: int = 50) -> Floats:
    """r of each labeler, least squares of S_ab = N_ab r_a r_b; a little is taken off those with few comparisons."""
    mean = known.signed.sum() / max(known.times.sum(), 1.0)
    found: Floats = np.full(len(known.times), np.sqrt(max(mean, 0.01)))
    for _ in range(rounds):
        fitted = (known.signed @ found) / (known.times @ found**2 + 1.0)
        found = (found + fitted) / 2  # all at once: without the mean they would swing
    return found


def residuals(there: Agreements, r: Floats) -> Floats:
    """[labelers, labelers]: S - N (c r_a r_b + e_a + e_b), 0 on the diagonal.

    c is the one that fits best. e is what r, known from a limited number of rankings, gets wrong of each labeler: it
    returns in both halves of a topic, so left in it would look like a group.
    """
    expected = there.times * np.outer(r, r)
    weight = (expected * np.outer(r, r)).sum()
    c = (there.signed * np.outer(r, r)).sum() / weight if weight else 0.0
    left: Floats = there.signed - c * expected
    normal = there.times + np.diag(there.times.sum(axis=1) + 1.0)
    e = np.linalg.solve(normal, left.sum(axis=1))
    left -= there.times * np.add.outer(e, e)
    np.fill_diagonal(left, 0.0)
    return left


def two_groups(left: Floats, count: Floats) -> Ints:
    """Two groups by the signs of the residuals' first eigenvector, each labeler's comparisons weighing the same; 0 for
    who has none. Labelers then change sides while that makes T larger."""
    seen = count.sum(axis=1)
    scale = 1 / np.sqrt(np.maximum(seen, 1.0))
    _, vectors = np.linalg.eigh(left * np.outer(scale, scale))
    group = np.where(vectors[:, -1] >= 0, 1, -1)
    for _ in range(20):
        moved = np.where(group * (left @ group) < 0, -group, group)
        worst = int(np.argmin(group * (left @ group)))
        if (moved == group).all():
            break
        group[worst] = -group[worst]  # one at a time, so that T grows with every step
    return np.where(seen > 0, group, 0)


def given(seen: Signed, rows: Ints, r: Floats, group: Ints, *, seed: int = 0) -> Split | None:
    """Groups that are known before: group [labelers], 1, -1, 0. None where it cannot be told."""
    labelers = len(r)
    there = of_rows(seen, rows, labelers)
    sizes = [int(np.count_nonzero((group == side) & (there.times.sum(axis=1) > 0))) for side in (1, -1)]
    if len(rows) < FEWEST_COMPARISONS or sum(sizes) < FEWEST_LABELERS or min(sizes) < 2:
        return None
    p = _p([residuals(there, r)], [group], np.random.default_rng(seed))
    return Split(group, *_shares(seen, rows, [group] * len(rows)), len(rows), p)


def found(seen: Signed, rows: Ints, r: Floats, *, seed: int = 0) -> Split | None:
    """Two groups that the topic's comparisons fall into. None where there are too few to tell."""
    labelers = len(r)
    rng = np.random.default_rng(seed)
    there = of_rows(seen, rows, labelers)
    if len(rows) < FEWEST_COMPARISONS or np.count_nonzero(there.times.sum(axis=1)) < FEWEST_LABELERS:
        return None
    items = np.unique(seen.item[rows])
    half = np.isin(seen.item[rows], rng.permutation(items)[: len(items) // 2])
    left, groups = [], []
    for mine in (half, ~half):
        learn, test = of_rows(seen, rows[mine], labelers), of_rows(seen, rows[~mine], labelers)
        groups.append(two_groups(residuals(learn, r), learn.times))
        left.append(residuals(test, r))
    p = _p(left, groups, rng)
    other = [groups[0] if not is_half else groups[1] for is_half in half]
    whole = two_groups(residuals(there, r), there.times)
    return Split(whole, *_shares(seen, rows, other), len(rows), p)


def is_listed(p: float, within: float, between: float) -> bool:
    """Beyond chance (`p` is adjusted), and large enough to matter; False for NaN."""
    return p < ALPHA and within - between >= APART


def adjusted(ps: Sequence[float]) -> list[float]:
    """Holm's step-down p-values, in the order given."""
    order = np.argsort(ps, kind="stable")
    steps = np.asarray(ps, dtype=float)[order] * (len(ps) - np.arange(len(ps)))
    values = np.empty(len(ps))
    values[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in values]


def by_item(seen: Signed, rows: Ints, group: Ints) -> list[tuple[int, float, float, int]]:
    """The items on which labelers of both groups can be compared: item, agreement within the groups (NaN where there
    is no such two), between them, comparisons; the widest apart first."""
    same = group[seen.one[rows]] * group[seen.other[rows]]
    items, at = np.unique(seen.item[rows], return_inverse=True)
    shares = []
    for side in (1, -1):
        chosen = same == side
        total = np.bincount(at[chosen], minlength=len(items))
        summed = np.bincount(at[chosen], seen.value[rows][chosen], len(items))
        shares.append(np.where(total > 0, (1 + summed / np.maximum(total, 1)) / 2, np.nan))
    counted = np.bincount(at[same != 0], minlength=len(items))
    there = ~np.isnan(shares[1])
    apart = np.where(np.isnan(shares[0]), 0.5, shares[0]) - shares[1]
    order = np.lexsort((items, -counted, -apart))
    return [
        (int(items[row]), float(shares[0][row]), float(shares[1][row]), int(counted[row]))
        for row in order
        if there[row]
    ]


def _p(left: Sequence[Floats], groups: Sequence[Ints], rng: np.random.Generator) -> float:
    """Of T summed over the tables; the names of all labelers who have a group are dealt out anew in each."""
    observed, drawn = 0.0, np.zeros(PERMUTATIONS)
    for table, group in zip(left, groups, strict=True):
        there = np.flatnonzero(group)
        part, names = table[np.ix_(there, there)], group[there].astype(float)
        observed += names @ part @ names
        dealt = rng.permuted(np.tile(names, (PERMUTATIONS, 1)), axis=1)
        drawn += ((dealt @ part) * dealt).sum(axis=1)
    return float((1 + np.count_nonzero(drawn >= observed - 1e-9)) / (1 + PERMUTATIONS))


def _shares(seen: Signed, rows: Ints, groups: Sequence[Ints]) -> tuple[float, float]:
    """Agreement within and between, where each comparison has groups of its own."""
    table = np.asarray(groups)
    at = np.arange(len(rows))
    same = table[at, seen.one[rows]] * table[at, seen.other[rows]]
    shares = [seen.value[rows][same == side] for side in (1, -1)]
    within, between = (float((1 + one.mean()) / 2) if len(one) else float("nan") for one in shares)
    return within, between
