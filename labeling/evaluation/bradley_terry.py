"""PURE. One strength for each policy out of all comparisons: P(a is preferred to b) = 1 / (1 + exp(s_b - s_a)).

Bradley & Terry (1952) by maximum likelihood, a tie being half a win for each; the fit is choix's (iterative Luce
spectral ranking, Maystre & Grossglauser 2015). Strengths are 0 on average. A finite maximum exists where every policy
of a group can be reached from every other by a chain of wins (Ford 1957): outside of the largest such group there is
no strength, and `why` says it in place of an infinite number.

The interval is the sandwich: an observation's influence is its score through the inverse information, and its variance
is `crossed.variance`. So it counts prompts and labelers as the win rates do, and does not take the pairs of one
ranking as independent.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import choix
import numpy as np
from scipy.sparse.csgraph import connected_components

from labeling.evaluation import crossed
from labeling.evaluation.crossed import Estimate, Floats, Ints

UNDEFEATED = "it was never beaten by the others, so nothing bounds its strength from above"
WINLESS = "it never beat any of the others, so nothing bounds its strength from below"
APART = "no chain of wins and losses ties it to the others"


class Pairs(NamedTuple):
    """Sides of every pair of K policies, each [pairs]."""

    first: Ints
    second: Ints


def pairs_of(count: int) -> Pairs:
    return Pairs(*np.triu_indices(count, k=1))


def wins(places: Floats) -> Floats:
    """[N, K] places (NaN: not there) → [N, pairs]: 1 where the first is preferred, ½ for a tie, NaN where unknown."""
    first, second = pairs_of(places.shape[1])
    apart = places[:, second] - places[:, first]
    return (np.sign(apart) + 1) / 2


def strengths(places: Floats, prompt: Ints, labeler: Ints, weights: Floats) -> list[Estimate]:
    """Of each policy, K of them; `places` [N, K], the others [N]."""
    won = wins(places)
    table = _table(won, weights, places.shape[1])
    found = _connected(table)
    counted = ~np.isnan(won[:, [_inside(one, other, found) for one, other in zip(*pairs_of(len(table)), strict=True)]])
    seen = counted.any(axis=1) if len(found) > 1 else np.zeros(len(won), dtype=bool)
    rests = _rests(prompt[seen], labeler[seen])
    if len(found) < 2 or not seen.any():
        return [_none(why_not(table, policy), rests) for policy in range(len(table))]
    score = choix.ilsr_pairwise_dense(table[np.ix_(found, found)], max_iter=2000, tol=1e-10)
    score -= score.mean()
    influence = _influence(won[seen], weights[seen], found, score)
    listed = {policy: _estimate(float(score[at]), influence[:, at], weights[seen], prompt[seen], labeler[seen], rests)
              for at, policy in enumerate(found)}  # fmt: skip
    return [listed.get(policy) or _none(why_not(table, policy), rests) for policy in range(len(table))]


def why_not(table: Floats, policy: int) -> str:
    """Why this policy has no finite strength."""
    beat, lost = table[policy].sum() > 0, table[:, policy].sum() > 0
    if beat and not lost:
        return UNDEFEATED
    return WINLESS if lost and not beat else APART


def _table(won: Floats, weights: Floats, count: int) -> Floats:
    """[K, K]: how often the row's policy was preferred to the column's."""
    table = np.zeros((count, count))
    first, second = pairs_of(count)
    table[first, second] = np.nansum(won * weights[:, None], axis=0)
    table[second, first] = np.nansum((1 - won) * weights[:, None], axis=0)
    return table


def _connected(table: Floats) -> list[int]:
    """The largest group in which everybody is tied to everybody by wins both ways."""
    _, group = connected_components(table > 0, directed=True, connection="strong")
    return [int(at) for at in np.flatnonzero(group == np.bincount(group).argmax())]


def _inside(one: int, other: int, found: Sequence[int]) -> bool:
    return one in found and other in found


def _influence(won: Floats, weights: Floats, found: Sequence[int], score: Floats) -> Floats:
    """[N, policies of the group]: score through the inverse information, whose null space is a shift of all."""
    at = {policy: place for place, policy in enumerate(found)}
    information, scores = np.zeros((len(found), len(found))), np.zeros((len(won), len(found)))
    for pair, (one, other) in enumerate(zip(*pairs_of(_policies(won.shape[1])), strict=True)):
        if not _inside(one, other, found):
            continue
        a, b = at[one], at[other]
        expected = 1 / (1 + math.exp(score[b] - score[a]))
        surprise = np.nan_to_num(weights * (won[:, pair] - expected))
        scores[:, a] += surprise
        scores[:, b] -= surprise
        known = float(weights[~np.isnan(won[:, pair])].sum()) * expected * (1 - expected)
        information[[a, b], [a, b]] += known
        information[[a, b], [b, a]] -= known
    through: Floats = scores @ np.linalg.pinv(information)
    return through


def _policies(pairs: int) -> int:
    return round((1 + math.sqrt(1 + 8 * pairs)) / 2)


def _rests(prompt: Ints, labeler: Ints) -> dict[str, Any]:
    asked = labeler[labeler != crossed.NOBODY]
    return {"prompts": len(np.unique(prompt)), "labelers": len(np.unique(asked)), "labels": len(asked)}


def _estimate(
    value: float, influence: Floats, weights: Floats, prompt: Ints, labeler: Ints, rests: dict[str, Any]
) -> Estimate:
    if why := crossed.too_few(rests["prompts"], rests["labelers"]):
        return Estimate(value, None, None, None, None, **rests, why=why)
    found = crossed.variance(influence, weights, prompt, labeler)
    low, high = crossed.interval(value, found, share=False)
    return Estimate(value, low, high, math.sqrt(found.whole), found.df, **rests)


def _none(why: str, rests: dict[str, Any]) -> Estimate:
    return Estimate(math.nan, None, None, None, None, **rests, why=why)
