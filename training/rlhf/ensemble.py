"""What several heads know together that one does not. Plain numbers in, plain numbers out."""

import statistics
from collections.abc import Sequence

from training.rlhf.reward_quality import Ranking, pair_accuracy

HeadScores = Sequence[tuple[Sequence[float], int]]  # (score by each head, rank) of each completion; rank 1 is best


def spread(scores: Sequence[float]) -> float:
    """The standard deviation of what the heads say, by 1/n."""
    return statistics.pstdev(scores)


def ensemble_figures(rankings: Sequence[HeadScores]) -> dict[str, float]:
    """How the mean of the heads does beside the heads alone, over pairs that are not tied.

    `accuracy` of the mean and `head_accuracy`, the mean of the heads' own; `spread_right` and `spread_wrong`: the mean
    spread of the heads' differences over the pairs that the mean gets right, and wrong (equal scores are no one's). A
    spread is left out where there is no such pair.
    """
    heads = len(rankings[0][0][0])
    by_head = [[_of_head(ranking, head) for ranking in rankings] for head in range(heads)]
    figures = {
        "accuracy": pair_accuracy([[(statistics.fmean(scores), rank) for scores, rank in one] for one in rankings]),
        "head_accuracy": statistics.fmean(pair_accuracy(own) for own in by_head),
    }
    right: list[float] = []
    wrong: list[float] = []
    for ranking in rankings:
        for winner, rank in ranking:
            for loser, worse in ranking:
                if rank < worse:
                    margins = [first - second for first, second in zip(winner, loser, strict=True)]
                    if (margin := statistics.fmean(margins)) != 0:
                        (right if margin > 0 else wrong).append(spread(margins))
    figures |= {"spread_right": statistics.fmean(right)} if right else {}
    return figures | ({"spread_wrong": statistics.fmean(wrong)} if wrong else {})


def _of_head(ranking: HeadScores, head: int) -> Ranking:
    return [(scores[head], rank) for scores, rank in ranking]
