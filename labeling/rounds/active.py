"""PURE. Which of many sampled prompts labelers are asked to rank: by chance, where the heads of a reward model
disagree, or where labelers are expected to.

What a ranking teaches are its comparisons, so everything is counted in pairs of completions with different texts: for
head h, p_h = sigmoid(scale * (r_h(first) - r_h(second))) is the probability that the first is preferred. The chance
that two draws of a preference differ is 2 p (1 - p) for the mean p of the heads, and falls into two parts,

    p (1 - p) = variance over the heads of p_h + mean over the heads of p_h (1 - p_h),

by the law of total variance. The first is what the heads do not agree on: the labels so far do not settle it
("ensemble", Houlsby et al. 2011 with the Brier score for the entropy). The second is what every head takes for a close
call: there labelers are expected to disagree ("labelers"). A pair of which all heads say the same winner, and only
disagree by how much, is settled, so the variance is that of the probability; that of the level of a reward
would not do at all, since each head has a zero of its own.

A part of the prompts is drawn by chance all the same. On those a reward model can be validated, and compared with that
of another round, for chosen prompts are harder than prompts are.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from labeling.errors import BadInput

EXPLORE = 0.1  # the share that is drawn by chance
LARGEST_SCALE = 100.0


class HasText(Protocol):
    """A completion, as far as it matters here."""

    @property
    def pk(self) -> Any: ...

    @property
    def text(self) -> str: ...


C = TypeVar("C", bound=HasText)
P = TypeVar("P")
Heads = Sequence[float]  # the rewards of one completion, head by head


def choose(
    groups: Iterable[tuple[P, Sequence[C]]],
    rewards: Mapping[Any, Heads],
    by: str,
    count: int,
    seed: int,
    *,
    explore: float = EXPLORE,
    scale: float = 1.0,
) -> list[tuple[P, Sequence[C]]]:
    """`count` of the groups, or all that can be ranked where there are fewer.

    Those drawn by chance come first, exploring(count, explore) of them; the others follow, the most wanted first, equal
    ones in an order that follows from the seed. A group that comes twice counts once, and one whose texts are all the
    same is left out: there is nothing to rank. `rewards` are by the completions' pk, and `scale` turns them into log
    odds (fit_scale). Raises BadInput where `by` is none of "random", "ensemble" and "labelers", and where a reward, or
    a second head for "ensemble", is missing.
    """
    if by not in BY:
        raise BadInput(f"Prompts are chosen by {', '.join(BY)}; “{by}” is none of them.")
    if not 0 <= explore <= 1:
        raise BadInput(f"The share of prompts drawn by chance is {explore}; it must be between 0 and 1.")
    order = _rankable(groups)
    Random(seed).shuffle(order)
    wanted = BY[by]
    if wanted is None:
        return order[:count]
    lucky = exploring(count, explore)
    values = [_value(wanted, completions, rewards, scale) for _, completions in order]
    ranked = sorted(range(lucky, len(order)), key=lambda place: -values[place])
    return order[:lucky] + [order[place] for place in ranked[: count - lucky]]


def exploring(count: int, explore: float = EXPLORE) -> int:
    """How many of `count` groups are drawn by chance: at least one where any are."""
    return math.ceil(round(explore * count, 9))


def ensemble(pair: Sequence[float]) -> float:
    """Of a pair: how far the heads are apart on who is preferred, given each head's probability; 0 to 1/4."""
    return statistics.pvariance(pair)


def labelers(pair: Sequence[float]) -> float:
    """Of a pair: half the chance that two labelers disagree, as the heads expect it; 0 to 1/4."""
    return statistics.fmean(p * (1 - p) for p in pair)


Wanted = Callable[[Sequence[float]], float]
BY: dict[str, Wanted | None] = {"random": None, "ensemble": ensemble, "labelers": labelers}


def fit_scale(rankings: Iterable[Sequence[tuple[float, int]]]) -> float:
    """The factor that turns differences of rewards into log odds: the most likely one, given what labelers preferred.

    `rankings`: (reward, place) of each completion, 1 is best, ties tell nothing; each ranking counts once, however many
    pairs it has. 0 where the rewards are no better than chance. With rewards that are always right there is no most
    likely factor, and it is LARGEST_SCALE. Raises BadInput where nothing was preferred to anything.
    """
    margins = [pairs for pairs in map(_margins, rankings) if pairs]
    if not margins:
        raise BadInput("No ranking prefers one completion to another, so rewards cannot be held against them.")

    def slope(scale: float) -> float:
        """Of the log likelihood, which is concave."""
        return sum(statistics.fmean(one * _sigmoid(-scale * one) for one in pairs) for pairs in margins)

    low, high = 0.0, LARGEST_SCALE
    if slope(low) <= 0:
        return low
    if slope(high) > 0:
        return high
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def _rankable(groups: Iterable[tuple[P, Sequence[C]]]) -> list[tuple[P, Sequence[C]]]:
    once = {frozenset(one.pk for one in completions): (prompt, completions) for prompt, completions in groups}
    return [(prompt, completions) for prompt, completions in once.values() if len(_texts(completions)) > 1]


def _texts(completions: Sequence[C]) -> dict[str, C]:
    """One completion of each text, which is what a labeler sees."""
    return {one.text.strip(): one for one in reversed(completions)}


def _value(wanted: Wanted, completions: Sequence[C], rewards: Mapping[Any, Heads], scale: float) -> float:
    """The mean over all pairs of the group; of two equal texts nothing is to be learned."""
    heads = [_heads(one, rewards, wanted) for one in _texts(completions).values()]
    if len({len(one) for one in heads}) > 1:
        raise BadInput("Not all completions have rewards of the same heads: score them by the same reward models.")
    values = []
    for first, second in itertools.combinations(heads, 2):
        values.append(wanted([_sigmoid(scale * (a - b)) for a, b in zip(first, second, strict=True)]))
    return sum(values) / math.comb(len(completions), 2)


def _heads(completion: HasText, rewards: Mapping[Any, Heads], wanted: Wanted) -> Heads:
    heads = rewards.get(completion.pk, ())
    if not heads:
        raise BadInput(f"The completion {completion.pk} has no reward: all that may be chosen have to be scored first.")
    if wanted is ensemble and len(heads) < 2:
        raise BadInput("One head cannot disagree: to choose by “ensemble”, train a reward model with several heads.")
    return heads


def _margins(ranking: Sequence[tuple[float, int]]) -> list[float]:
    return [reward - other for reward, place in ranking for other, worse in ranking if place < worse]


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
