"""PURE. Everything that a judgement shows: win rates, strengths, ratings and flags, whole and in parts.

Every figure has the interval of `crossed.py`. `win` is how often the row's policy was preferred, a tie being half.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from labeling.evaluation import bradley_terry, crossed, ratings
from labeling.evaluation.columns import Observed
from labeling.evaluation.crossed import Estimate, Floats


class Pair(NamedTuple):
    """Two policies: how often the first is preferred, and by how much it differs in what is said of each alone.

    `p` is of the test that neither is preferred, `p_holm` the same for all pairs together (Holm 1979).
    """

    policy: str
    other: str
    win: Estimate | None
    p: float | None
    p_holm: float | None
    rating: Estimate | None
    flags: dict[str, Estimate | None]


class Policy(NamedTuple):
    name: str
    win: Estimate | None  # against all others, each alike
    strength: Estimate
    rating: Estimate | None
    flags: dict[str, Estimate | None]


class Part(NamedTuple):
    """Win rates of every policy against the one that is compared with, in one part of the rankings."""

    value: str
    wins: dict[str, Estimate | None]


class HeadToHead(NamedTuple):
    policies: list[Policy]
    pairs: list[Pair]  # each two policies once, in the order of the policies
    against: str
    use_cases: list[Part]
    labelers: list[Part]
    rankings: int
    prompts: int
    alike: int  # prompts on which all policies said the same
    people: int
    comparisons: int  # intervals that speak of a difference


def compute(seen: Observed, against: str) -> HeadToHead:
    """All of it; in parts each policy is compared with `against`."""
    won = bradley_terry.wins(seen.places)
    pairs = _pairs(seen, won)
    base = seen.policies.index(against)
    policies = _policies(seen, won)
    parts = [_parts(seen, base, seen.use_case), _parts(seen, base, _names(seen))]
    in_parts = sum(len([one for one in part.wins.values() if one]) for group in parts for part in group)
    of_pairs = sum(1 + (pair.rating is not None) + len([one for one in pair.flags.values() if one]) for pair in pairs)
    return HeadToHead(
        policies=policies,
        pairs=pairs,
        against=against,
        use_cases=parts[0],
        labelers=[part for part in parts[1] if part.value],
        rankings=int((seen.item > 0).sum()),
        prompts=len(np.unique(seen.prompt)),
        alike=int((seen.item == 0).sum()),
        people=len(seen.pseudonyms),
        comparisons=of_pairs + in_parts,
    )


def win(seen: Observed, policy: int, other: int) -> Estimate | None:
    """How often the first is preferred to the second; None where no ranking has both."""
    return _mean(seen, _won(seen, policy, other))


def p_of(found: Estimate | None) -> float | None:
    """Two-sided, of a win rate of one half, by the interval's own rule; None where it has no standard error."""
    if found is None or found.se is None or found.df is None or not 0 < found.value < 1:
        return None
    spread = found.value * (1 - found.value)
    away = abs(math.log(found.value / (1 - found.value))) * spread / found.se
    return float(2 * stats.t.sf(away, found.df))


def holm(p: list[float | None]) -> list[float | None]:
    """Adjusted for all that are there (Holm 1979)."""
    order = sorted((value, at) for at, value in enumerate(p) if value is not None)
    found: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, (value, at) in enumerate(order):
        highest = max(highest, min(1.0, value * (len(order) - rank)))
        found[at] = highest
    return found


def _pairs(seen: Observed, won: Floats) -> list[Pair]:
    sides = list(zip(*bradley_terry.pairs_of(len(seen.policies)), strict=True))
    wins = [_mean(seen, won[:, at]) for at in range(len(sides))]
    p = [p_of(found) for found in wins]
    return [
        Pair(
            seen.policies[one],
            seen.policies[other],
            wins[at],
            p[at],
            adjusted,
            ratings.rating_apart(seen, one, other),
            {key: ratings.flagged_apart(seen, key, one, other) for key in seen.flags},
        )
        for at, ((one, other), adjusted) in enumerate(zip(sides, holm(p), strict=True))
    ]


def _policies(seen: Observed, won: Floats) -> list[Policy]:
    strengths = bradley_terry.strengths(seen.places, seen.prompt, seen.labeler, seen.weights)
    first, second = bradley_terry.pairs_of(len(seen.policies))
    found = []
    for at, name in enumerate(seen.policies):
        own = np.hstack([won[:, first == at], 1 - won[:, second == at]])
        said = ~np.isnan(own)
        with np.errstate(invalid="ignore"):
            mean = np.where(said.any(axis=1), np.nansum(own, axis=1) / said.sum(axis=1), np.nan)
        flags = {key: ratings.flagged(seen, key, at) for key in seen.flags}
        found.append(Policy(name, _mean(seen, mean), strengths[at], ratings.rating(seen, at), flags))
    return found


def _parts(seen: Observed, base: int, of: NDArray[np.str_]) -> list[Part]:
    parts = []
    for value in sorted(set(of.tolist())):
        here = seen.only(of == value)
        wins = {name: win(here, at, base) for at, name in enumerate(seen.policies) if at != base}
        parts.append(Part(value, wins))
    return parts


def _names(seen: Observed) -> NDArray[np.str_]:
    return np.array([seen.pseudonyms.get(labeler, "") for labeler in seen.labeler.tolist()], dtype=str)


def _won(seen: Observed, policy: int, other: int) -> Floats:
    won: Floats = (np.sign(seen.places[:, other] - seen.places[:, policy]) + 1) / 2
    return won


def _mean(seen: Observed, values: Floats) -> Estimate | None:
    known = ~np.isnan(values)
    if not known.any():
        return None
    return crossed.mean(values[known], seen.prompt[known], seen.labeler[known], weights=seen.weights[known])
