"""PURE. How far several rankings of the same answers contradict each other."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any


def opposed(rankings: Sequence[Mapping[Any, int]]) -> float:
    """Of all pairs of answers, the share that two rankings order the other way round: the mean over every two
    rankings, from 0 to 1. A tie opposes nothing. 0 for fewer than two rankings.

    `rankings`: answer → place, 1 is best; each ranks the same answers, two or more.
    """
    twos = list(combinations(rankings, 2))
    return sum(_opposed(one, other) for one, other in twos) / len(twos) if twos else 0.0


def _opposed(one: Mapping[Any, int], other: Mapping[Any, int]) -> float:
    pairs = list(combinations(one, 2))
    return sum((one[a] - one[b]) * (other[a] - other[b]) < 0 for a, b in pairs) / len(pairs)
