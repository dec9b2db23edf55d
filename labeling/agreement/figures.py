"""PURE. Every figure of the agreement page, from labels to estimates, in one pass over the draws of items."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from labeling.agreement.alpha import alpha, formula, interval, ordinal, ranking_alpha
from labeling.agreement.concordance import concordance, mean_by_chance, mean_w
from labeling.agreement.kappa import kappa_and_unanimity, unanimity
from labeling.agreement.labels import Labels
from labeling.agreement.pairs import (
    Compared,
    against_the_others,
    compare,
    mean_tau_b,
    summed_by_item,
    ties_excluded,
    ties_half,
)
from labeling.agreement.resampling import Cells, Estimate, Floats, Ints, Measure, Observations, cells, estimates, ratio

RATINGS = range(1, 8)
GROUPINGS = ["use_case", "batch", "round", "guideline", "cohort", "purpose"]
OF_RANKINGS: list[tuple[str, Callable[[Compared, Ints], Observations]]] = [
    ("ties_excluded", ties_excluded),
    ("ties_half", ties_half),
    ("tau_b", mean_tau_b),
]
DAY = 86400


class Of(NamedTuple):
    """What two labelers' rankings have in common, each None where undefined."""

    ties_excluded: Estimate | None
    ties_half: Estimate | None
    tau_b: Estimate | None


class Overall(NamedTuple):
    rankings: Of
    w: Estimate | None
    w_by_chance: float | None
    alpha: Estimate | None
    rating_ordinal: Estimate | None
    rating_interval: Estimate | None
    rating_same: Estimate | None


class Flag(NamedTuple):
    """Of one flag: how often it was ticked of the `answers` it was asked of, and how far labelers say the same."""

    key: str
    ticked: int
    answers: int
    kappa: Estimate | None
    same: Estimate | None


class Period(NamedTuple):
    first: date
    last: date
    ties_excluded: Estimate | None


class Figures(NamedTuple):
    """`pairs`: by two labelers' ids, the lower one first. `others`: by labeler's id, against the majority of the
    others. `groups`: by a grouping's name and a value in it. Ids and codes as in the labels' columns."""

    comparisons: int
    overall: Overall
    pairs: dict[tuple[int, int], Estimate]
    others: dict[int, Estimate | None]
    groups: dict[str, dict[int, Of]]
    flags: list[Flag]
    periods: list[Period]


def compute(labels: Labels) -> Figures:
    items, rankings = len(labels.items), labels.rankings
    compared = compare(rankings)
    seen = [make(compared, rankings.item) for _, make in OF_RANKINGS]
    of_items = concordance(rankings, items)
    by_chance = mean_by_chance(of_items)

    groupings = {name: _coded(labels.about[name], compared.first, drop=name == "round") for name in GROUPINGS}
    split = {name: grouping for name, grouping in groupings.items() if len(grouping.values) != 1 or grouping.partial}
    periods, period = _periods(labels.about["made"], compared)
    pairs = _coded(_pair(rankings.labeler[compared.first], rankings.labeler[compared.second], len(labels.labelers)))
    others = against_the_others(rankings, items)

    ratios: list[Cells] = [
        _cells(seen[0], pairs, items),
        cells(others, rankings.labeler, count=len(labels.labelers), items=items),
        cells(seen[0], period, count=len(periods), items=items),
    ]
    ratios += [_cells(one, grouping, items) for grouping in split.values() for one in seen]
    flags = _flag_counts(labels, items)
    measures = [ratio(one, items=items) for one in [*seen, mean_w(of_items)]]
    measures += [ranking_alpha(rankings, compared, items), *_of_ratings(labels, items)]
    measures += [measure for counts in flags.values() for measure in kappa_and_unanimity(counts)]

    measured, (of_pairs, of_others, of_periods, *of_groups) = estimates(measures, ratios)
    w, *rest = measured[3:8]
    overall = Overall(Of(*measured[:3]), w, _mean(by_chance), *rest)
    return Figures(
        comparisons=len(compared.first),
        overall=overall,
        pairs=_by_labelers(pairs.values, of_pairs, labels.labelers),
        others=dict(zip(labels.labelers.tolist(), of_others, strict=True)),
        groups=_grouped(groupings, split, of_groups, overall.rankings),
        flags=[
            Flag(key, int(counts[..., 1].sum()), int(counts.sum()), *measured[8 + 2 * at : 10 + 2 * at])
            for at, (key, counts) in enumerate(flags.items())
        ],
        periods=[Period(*days, one) for days, one in zip(periods, of_periods, strict=True)],
    )


class _Coded(NamedTuple):
    """Values, and which of them each comparison has; -1 where it has none (then the grouping is partial)."""

    values: list[int]
    code: Ints
    partial: bool


def _coded(column: Ints, rows: Ints | None = None, *, drop: bool = False) -> _Coded:
    """The column's values, and which of them stand in these rows; `drop`: 0 stands for no value."""
    values, code = np.unique(column, return_inverse=True)
    code = code if rows is None else code[rows]
    if drop and len(values) and values[0] == 0:
        return _Coded(values[1:].tolist(), code - 1, partial=True)
    return _Coded(values.tolist(), code, partial=False)


def _pair(first: Ints, second: Ints, count: int) -> Ints:
    """One number for two labelers, whoever comes first."""
    return np.minimum(first, second) * count + np.maximum(first, second)


def _mean(seen: Observations) -> float | None:
    return float(seen.above.sum() / seen.below.sum()) if seen.below.any() else None


def _cells(seen: Observations, grouping: _Coded, items: int) -> Cells:
    return cells(seen, grouping.code, count=len(grouping.values), items=items)


def _grouped(
    groupings: dict[str, _Coded], split: dict[str, _Coded], found: list[list[Estimate | None]], overall: Of
) -> dict[str, dict[int, Of]]:
    """A grouping into one group is the whole, which is known already."""
    parts = iter(found)
    computed = {name: [next(parts) for _ in OF_RANKINGS] for name in split}
    return {
        name: {
            value: Of(*(one[at] for one in computed[name])) if name in computed else overall
            for at, value in enumerate(grouping.values)
        }
        for name, grouping in groupings.items()
    }


def _by_labelers(pairs: list[int], found: list[Estimate | None], labelers: Ints) -> dict[tuple[int, int], Estimate]:
    table: dict[tuple[int, int], Estimate] = {}
    for pair, one in zip(pairs, found, strict=True):
        first, second = divmod(pair, len(labelers))
        if one is not None:
            table[int(labelers[first]), int(labelers[second])] = one
    return table


def _of_ratings(labels: Labels, items: int) -> list[Measure]:
    counts = _tallied(labels, labels.ratings.astype(np.int64) - 1, len(RATINGS), items)
    by_order = alpha(counts, ordinal)
    by_difference = Measure(by_order.per_item, formula(len(RATINGS), interval(RATINGS)))
    return [by_order, by_difference, unanimity(counts)]


def _flag_counts(labels: Labels, items: int) -> dict[str, Floats]:
    """By each flag that was asked: [items, K, 2], of how many labelers it was not ticked, and ticked."""
    where = np.nonzero(labels.flags)  # few are ticked, so they are picked out once for all flags
    ticked, asked_of = labels.flags[where], labels.asked[where[0]]
    cell = labels.rankings.item[where[0]] * labels.flags.shape[1] + where[1]
    answers: dict[bytes, Floats] = {}  # by who was asked, which is mostly the same for all flags
    found = {}
    for bit, key in enumerate(labels.flag_keys):
        asked = (labels.asked >> bit & 1) > 0
        if not asked.any():
            continue
        at = asked.tobytes()
        if at not in answers:
            there = (labels.rankings.places > 0) & asked[:, None]
            answers[at] = summed_by_item(there, labels.rankings.item, items).astype(np.float32)
        on = cell[(ticked & asked_of) >> bit & 1 > 0]
        yes = np.bincount(on, minlength=answers[at].size).reshape(answers[at].shape).astype(np.float32)
        found[key] = np.stack([answers[at] - yes, yes], axis=-1)
    return found


def _tallied(labels: Labels, values: Ints, count: int, items: int) -> Floats:
    """Values [R, K] from 0 on, negative ones being none: how often each was given, [items, K, count]."""
    row, column = np.nonzero(values >= 0)
    K = values.shape[1]
    cell = (labels.rankings.item[row] * K + column) * count + values[row, column]
    return np.bincount(cell, minlength=items * K * count).reshape(items, K, count).astype(np.float32)


def _periods(made: Ints, compared: Compared) -> tuple[list[tuple[date, date]], Ints]:
    """Days, weeks or months, and in which each comparison was made: when the later of the two came in."""
    if not len(compared.first):
        return [], np.empty(0, np.int64)
    when = np.maximum(made[compared.first], made[compared.second]) // DAY
    days = int(when.max() - when.min())
    if days <= 366:
        # 1970-01-01 was a Thursday: weeks from Monday to Sunday.
        length, start = (1, 0) if days <= 31 else (7, -3)
        firsts, code = np.unique((when - start) // length, return_inverse=True)
        begins = [date(1970, 1, 1) + timedelta(days=int(first) * length + start) for first in firsts]
        return [(begin, begin + timedelta(days=length - 1)) for begin in begins], code
    months, code = np.unique(when.astype("datetime64[D]").astype("datetime64[M]"), return_inverse=True)
    firsts_and_next = [(month.astype(object), (month + 1).astype(object)) for month in months]
    return [(first, after - timedelta(days=1)) for first, after in firsts_and_next], code
