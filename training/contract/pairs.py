"""Comparisons: the ordered pairs that a ranking implies. They are derived where needed and never stored."""

from collections.abc import Sequence


def ranking_pairs(ranks: Sequence[int]) -> list[tuple[int, int]]:
    """The (winner, loser) positions of every pair that is not tied.

    Rank 1 is best. A ranking of K completions gives K(K-1)/2 pairs less the tied ones: labelers are encouraged to
    tie what they find alike, and the reward model is not trained on ties (Ouyang et al. 2022, section 3.5).
    """
    pairs: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        for second in range(first + 1, len(ranks)):
            if ranks[first] < ranks[second]:
                pairs.append((first, second))
            elif ranks[second] < ranks[first]:
                pairs.append((second, first))
    return pairs
