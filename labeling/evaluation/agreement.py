"""PURE. How often two labelers order the same two completions alike.

A pair counts where both labelers preferred one of the two: Stiennon et al. 2020 leave out pairs on which either side
is indifferent; the InstructGPT paper does not say how it treats ties (its labelers agree on 72.6 ± 1.5 %).
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from labeling.evaluation.bootstrap import Estimate, cluster_mean

Places = Mapping[str, int]


class Pairs(NamedTuple):
    alike: int
    counted: int


def compare(first: Places, second: Places) -> Pairs:
    """Of the pairs of completions that both rankings order strictly: how many they order alike."""
    alike = counted = 0
    for a, b in itertools.combinations(sorted(first.keys() & second.keys()), 2):
        mine, theirs = first[a] - first[b], second[a] - second[b]
        if mine and theirs:
            counted += 1
            alike += (mine > 0) == (theirs > 0)
    return Pairs(alike, counted)


def agreement(items: Iterable[Iterable[Places]], *, seed: int = 0) -> Estimate | None:
    """Over all items that several labelers ranked, with an interval that resamples items; None where there are none."""
    compared = [_within(list(rankings)) for rankings in items]
    counted = [pairs for pairs in compared if pairs.counted]
    if not counted:
        return None
    return cluster_mean([pairs.alike for pairs in counted], [pairs.counted for pairs in counted], seed=seed)


def _within(rankings: list[Places]) -> Pairs:
    found = [compare(first, second) for first, second in itertools.combinations(rankings, 2)]
    return Pairs(sum(pairs.alike for pairs in found), sum(pairs.counted for pairs in found))
