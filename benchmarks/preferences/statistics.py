"""Two reward models on the same held-out rankings: accuracy, log loss, and the difference, with intervals.

Intervals are 95 % and resample prompts, each with all its pairs and all seeds: the pairs of a prompt share their
completions, so that resampling pairs would give an interval that is too narrow. They do not hold the noise of training;
the spread over the seeds is shown for that.
"""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

Pairs = Sequence[tuple[int, int]]  # (winner, loser) positions among the completions of a prompt


class Tally(NamedTuple):
    """What a model's scores say of the pairs of one prompt; sums, so that prompts and seeds can be added."""

    right: float  # pairs of which the winner scores higher; an equal score counts half
    loss: float  # nats: -log sigmoid(score of the winner - score of the loser)
    pairs: int


class Estimate(NamedTuple):
    value: float
    low: float
    high: float


def tally(pairs: Pairs, scores: Sequence[float]) -> Tally:
    """The pairs of one prompt, by the scores of its completions."""
    margins = [scores[winner] - scores[loser] for winner, loser in pairs]
    right = sum(1.0 if margin > 0 else 0.5 if margin == 0 else 0.0 for margin in margins)
    return Tally(right, sum(max(-margin, 0.0) + math.log1p(math.exp(-abs(margin))) for margin in margins), len(margins))


def together(runs: Sequence[Sequence[Tally]]) -> list[Tally]:
    """Runs of other seeds over the same prompts, as one tally for each prompt: [runs][prompts] -> [prompts]."""
    return [Tally(*map(sum, zip(*of_prompt, strict=True))) for of_prompt in zip(*runs, strict=True)]


def accuracy(tallies: Sequence[Tally]) -> float:
    """Share of all pairs that the scores get right."""
    return sum(tally.right for tally in tallies) / sum(tally.pairs for tally in tallies)


def log_loss(tallies: Sequence[Tally]) -> float:
    """Mean over all pairs, in nats; log 2 = 0.693 is what knowing nothing costs."""
    return sum(tally.loss for tally in tallies) / sum(tally.pairs for tally in tallies)


class Comparison(NamedTuple):
    ours: Estimate
    peer: Estimate
    difference: Estimate  # ours - peer, over the same resampled prompts


def compare(ours: Sequence[Tally], peer: Sequence[Tally], samples: int = 2000, seed: int = 0) -> Comparison:
    """Accuracies of two models over the same prompts, in the same order."""
    rng = random.Random(seed)
    both = list(zip(ours, peer, strict=True))
    drawn = []
    for _ in range(samples):
        first, second = zip(*rng.choices(both, k=len(both)), strict=True)
        drawn.append((accuracy(first), accuracy(second)))
    found = (accuracy(ours), accuracy(peer))
    return Comparison(
        _middle(found[0], [a for a, _ in drawn]),
        _middle(found[1], [b for _, b in drawn]),
        _middle(found[0] - found[1], [a - b for a, b in drawn]),
    )


def _middle(value: float, drawn: Sequence[float]) -> Estimate:
    """The value beside the bounds of the middle 95 % of what resampling gave."""
    ordered = sorted(drawn)
    cut = int(0.025 * len(ordered))
    return Estimate(value, ordered[cut], ordered[-1 - cut])
