"""PURE. How well a reward model agrees with labelers, and what else it prefers: all figures in one pass of draws.

Every pair of completions that a labeler put in order counts, ties do not. Intervals are 95 %, drawing whole prompts
(`agreement/resampling.py`). A completion's length is its characters.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from labeling.agreement.pairs import Rankings, compare, ties_excluded
from labeling.agreement.resampling import Cells, Estimate, Floats, Ints, Measure, Observations, cells, estimates
from labeling.reward_models.scored import Scored
from labeling.reward_models.style import FEATURES

BINS = 10
THIRDS = 3
GROUPINGS = ("all", "cohort", "use_case", "k")


class Pairs(NamedTuple):
    """Pairs that labelers put in order, each column [N]. `margin`: the preferred one's reward less the other's."""

    prompt: Ints
    ranking: Ints
    margin: Floats
    spread: Floats  # of the difference, as if the heads erred independently on the two
    side: Floats  # [N, features]: 1 where the preferred one alone has it (is longer), -1 the other alone, 0 neither
    in_ranking: Ints  # pairs of the ranking that this one belongs to


class Group(NamedTuple):
    """`agreement`: of two labelers on the same items, the ceiling; None where no item has two."""

    by: str
    value: str
    prompts: int
    rankings: int
    comparisons: int
    accuracy: Estimate | None
    log_loss: Estimate | None
    agreement: Estimate | None


class Bin(NamedTuple):
    low: float
    high: float
    predicted: float
    observed: Estimate | None
    pairs: int


class Preference(NamedTuple):
    """Of pairs in which one completion alone has a feature: how often it wins by the model, by people, and the
    difference of the two (each over the same pairs)."""

    key: str
    pairs: int
    model: Estimate | None
    people: Estimate | None
    apart: Estimate | None


class Quality(NamedTuple):
    groups: list[Group]
    bins: list[Bin]
    calibration_error: float | None
    preferences: list[Preference]  # the first is of length
    length_correlation: Estimate | None  # of reward and length within a ranking
    length_correlation_people: Estimate | None  # of how often labelers prefer it and length, likewise
    shorter_preferred: Estimate | None  # accuracy where people preferred the shorter one
    longer_preferred: Estimate | None
    spread_right: Estimate | None  # of an ensemble
    spread_wrong: Estimate | None
    by_spread: list[Estimate | None]  # accuracy, from the third with the least spread to that with the most


def compute(scored: Sequence[Scored]) -> Quality:
    scored = sorted(scored, key=lambda one: (one.item, one.ranking))
    prompts = {prompt: at for at, prompt in enumerate(sorted({one.prompt for one in scored}))}
    of = np.array([prompts[one.prompt] for one in scored], dtype=np.int64)
    pairs, items = pairs_of(scored, of), len(prompts)
    right = np.where(pairs.margin > 0, 1.0, np.where(pairs.margin == 0, 0.5, 0.0))
    ones = np.ones_like(right)
    share = 1.0 / pairs.in_ranking
    accurate = Observations(right, ones, pairs.prompt)
    lost = Observations(np.logaddexp(0.0, -pairs.margin) * share, share, pairs.prompt)
    ceiling, two = _between_labelers(scored, of)

    codes = {by: _coded(scored, by) for by in GROUPINGS}
    tables: list[Cells] = []
    for values, code in codes.values():
        among = np.where(code[two[0]] == code[two[1]], code[two[0]], -1)  # two labelers of the same group
        tables += [cells(one, code[pairs.ranking], count=len(values), items=items) for one in (accurate, lost)]
        tables.append(cells(ceiling, among, count=len(values), items=items))
    predicted = 1 / (1 + np.exp(-np.abs(pairs.margin)))
    bin_of = np.minimum(((predicted - 0.5) * 2 * BINS).astype(np.int64), BINS - 1)
    third = _thirds(pairs.spread)
    tables += [
        cells(accurate, bin_of, count=BINS, items=items),
        *_sided(pairs, right, items),
        cells(accurate, np.where(pairs.side[:, 0] < 0, 0, np.where(pairs.side[:, 0] > 0, 1, -1)), count=2, items=items),
        cells(accurate, third, count=THIRDS, items=items),
        cells(Observations(pairs.spread, ones, pairs.prompt), _right_or_wrong(right), count=2, items=items),
    ]
    lengths = [_correlation(scored, of, items, values) for values in (_rewards, _standing)]
    (by_reward, by_people), found = estimates(lengths, tables)
    *of_groups, observed, model, people, apart, by_length, by_third, spreads = found
    is_ensemble = bool(pairs.spread.any())
    bins = _bins(observed, predicted, bin_of)
    return Quality(
        groups=_groups(scored, codes, of_groups, pairs, of),
        bins=bins,
        calibration_error=_error(bins),
        preferences=[
            Preference(key, int(np.count_nonzero(pairs.side[:, at])), model[at], people[at], apart[at])
            for at, key in enumerate(["longer", *(feature.key for feature in FEATURES)])
        ],
        length_correlation=by_reward,
        length_correlation_people=by_people,
        shorter_preferred=by_length[0],
        longer_preferred=by_length[1],
        spread_right=spreads[1] if is_ensemble else None,
        spread_wrong=spreads[0] if is_ensemble else None,
        by_spread=by_third if is_ensemble else [],
    )


def pairs_of(scored: Sequence[Scored], prompts: Ints) -> Pairs:
    """`prompts`: the number of each ranking's prompt."""
    columns: list[tuple[Any, ...]] = []
    for at, one in enumerate(scored):
        has = [[len(text), *(feature.holds(text) for feature in FEATURES)] for text in one.texts]
        ordered = [(a, b) for a in range(one.k) for b in range(one.k) if one.places[a] < one.places[b]]
        for a, b in ordered:
            side = [float(np.sign(float(mine) - float(theirs))) for mine, theirs in zip(has[a], has[b], strict=True)]
            spread = float(np.hypot(one.spreads[a], one.spreads[b]))
            columns.append((prompts[at], at, one.rewards[a] - one.rewards[b], spread, side, len(ordered)))
    if not columns:
        none = np.empty(0)
        return Pairs(none.astype(int), none.astype(int), none, none, np.empty((0, 1 + len(FEATURES))), none.astype(int))
    return Pairs(*(np.array(column) for column in zip(*columns, strict=True)))


def _between_labelers(scored: Sequence[Scored], prompts: Ints) -> tuple[Observations, tuple[Ints, Ints]]:
    """Every two labelers' orders of one item held against each other, and which two rankings these are."""
    widest = max((one.k for one in scored), default=0)
    places = np.zeros((len(scored), widest), dtype=np.uint8)
    for row, one in enumerate(scored):
        places[row, : one.k] = one.places
    _, item = np.unique([one.item for one in scored], return_inverse=True)
    compared = compare(Rankings(places, item, item))
    return ties_excluded(compared, prompts), (compared.first, compared.second)


def _coded(scored: Sequence[Scored], by: str) -> tuple[list[str], Ints]:
    if by == "all":
        return [""], np.zeros(len(scored), dtype=np.int64)
    values = sorted({getattr(one, by) for one in scored})
    at = {value: place for place, value in enumerate(values)}
    return [str(value) for value in values], np.array([at[getattr(one, by)] for one in scored], dtype=np.int64)


def _groups(
    scored: Sequence[Scored],
    codes: dict[str, tuple[list[str], Ints]],
    found: list[list[Estimate | None]],
    pairs: Pairs,
    prompts: Ints,
) -> list[Group]:
    parts, groups = iter(found), []
    for by, (values, code) in codes.items():
        accuracy, loss, agreement = next(parts), next(parts), next(parts)
        for at, value in enumerate(values):
            mine = code == at
            counts = (len(np.unique(prompts[mine])), int(mine.sum()), int(mine[pairs.ranking].sum()))
            groups.append(Group(by, value, *counts, accuracy[at], loss[at], agreement[at]))
    return groups


def _bins(observed: list[Estimate | None], predicted: Floats, bin_of: Ints) -> list[Bin]:
    return [
        Bin(
            0.5 + at * 0.5 / BINS, 0.5 + (at + 1) * 0.5 / BINS, float(predicted[bin_of == at].mean()), observed[at],
            int(np.count_nonzero(bin_of == at)),
        )
        for at in range(BINS)
        if np.any(bin_of == at)
    ]  # fmt: skip


def _error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error (Guo et al. 2017)."""
    total = sum(one.pairs for one in bins)
    wrong = sum(one.pairs * abs(one.observed.value - one.predicted) for one in bins if one.observed)
    return wrong / total if total else None


def _sided(pairs: Pairs, right: Floats, items: int) -> list[Cells]:
    """By feature: how often the one that has it wins by the model, by people, and the difference."""
    row, feature = np.nonzero(pairs.side)
    side, prompt = pairs.side[row, feature], pairs.prompt[row]
    people = (side > 0).astype(float)
    model = np.where(side > 0, right[row], 1 - right[row])
    return [
        cells(Observations(values, np.ones(len(row)), prompt), feature, count=pairs.side.shape[1], items=items)
        for values in (model, people, model - people)
    ]


def _right_or_wrong(right: Floats) -> Ints:
    """1 right, 0 wrong; even scores are neither."""
    return np.where(right == 1, 1, np.where(right == 0, 0, -1))


def _thirds(spread: Floats) -> Ints:
    if not spread.any():
        return np.full(len(spread), -1)
    edges = np.quantile(spread, [1 / 3, 2 / 3])
    return np.asarray(np.searchsorted(edges, spread, side="left"))


def _rewards(one: Scored) -> Floats:
    return np.array(one.rewards)


def _standing(one: Scored) -> Floats:
    """How many others of its ranking each beats, less how many beat it."""
    places = np.array(one.places)
    return np.asarray(np.sign(places[None] - places[:, None]).sum(axis=1), dtype=float)


def _correlation(scored: Sequence[Scored], prompts: Ints, items: int, values: Callable[[Scored], Floats]) -> Measure:
    """Pearson's r of these values and length, both less their mean in the ranking: prompts differ in how long an answer
    must be, and in how much reward is to be had."""
    sums = np.zeros((items, 3))
    for prompt, one in zip(prompts, scored, strict=True):
        x, y = values(one), np.array([float(len(text)) for text in one.texts])
        x, y = x - x.mean(), y - y.mean()
        sums[prompt] += [x @ y, x @ x, y @ y]

    def formula(total: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[..., 0] / np.sqrt(total[..., 1] * total[..., 2]))

    return Measure(sums, formula)
