"""How well a reward model agrees with rankings it was not trained on. Plain numbers in, plain numbers out."""

import math
import random
from collections.abc import Sequence

Ranking = Sequence[tuple[float, int]]  # (score, rank) of each completion; rank 1 is best


def pair_accuracy(rankings: Sequence[Ranking]) -> float:
    """Share of the pairs that are not tied in which the better completion scores higher; equal scores count half."""
    points, pairs = 0.0, 0
    for ranking in rankings:
        for winner, loser in _pairs(ranking):
            points += 1.0 if winner > loser else 0.5 if winner == loser else 0.0
            pairs += 1
    return points / pairs if pairs else float("nan")


def log_loss(rankings: Sequence[Ranking]) -> float:
    """-log sigmoid(r_winner - r_loser): the mean over the pairs of a ranking, then over rankings that have pairs."""
    losses = []
    for ranking in rankings:
        margins = [winner - loser for winner, loser in _pairs(ranking)]
        if margins:
            losses.append(sum(_softplus(-margin) for margin in margins) / len(margins))
    return sum(losses) / len(losses) if losses else float("nan")


def best_of_n_wins(rankings: Sequence[Ranking]) -> list[float]:
    """Per ranking: how often the completion with the highest score beats a random other one of the same ranking.

    The judge is the labeler's own ranking; a tie counts half. A reward model that knows nothing gets 0.5 on average,
    and policies should not be optimized against one that does not stand clearly above it: best-of-n is the mildest
    optimization there is.
    """
    wins = []
    for ranking in rankings:
        top = max(range(len(ranking)), key=lambda index: ranking[index][0])
        rank = ranking[top][1]
        others = [other for index, (_, other) in enumerate(ranking) if index != top]
        wins.append(sum(1.0 if rank < other else 0.5 if rank == other else 0.0 for other in others) / len(others))
    return wins


def bootstrap_interval(values: Sequence[float], samples: int, seed: int) -> tuple[float, float]:
    """95 % interval of the mean by resampling the values with replacement."""
    rng = random.Random(seed)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(samples))
    return means[int(0.025 * samples)], means[min(samples - 1, int(0.975 * samples))]


def _pairs(ranking: Ranking) -> list[tuple[float, float]]:
    return [(score, other) for score, rank in ranking for other, worse in ranking if rank < worse]


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
