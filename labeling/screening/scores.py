"""PURE. The four criteria of a candidate (Ouyang et al. 2022, App. B.1), each held against its soft cut-off.

Exact fractions: a candidate with 3 of 4 alike is at 75 %, not a rounding error below it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from labeling.agreement.pairs import Rankings, against_the_others

Flags = Sequence[bool]
Places = Sequence[int]


class Share(NamedTuple):
    """`same` of `of` are as the researchers have them."""

    same: int
    of: int

    @property
    def fraction(self) -> Fraction | None:
        return Fraction(self.same, self.of) if self.of else None


def flag_agreement(items: Sequence[tuple[Flags, Sequence[Flags]]]) -> Share:
    """The flags that a candidate answers as most researchers do.

    `items`: of each the candidate's flags and those of every researcher who answered it. A flag on which as many
    researchers say yes as no is left out: there is no researchers' answer to it.
    """
    same = of = 0
    for mine, theirs in items:
        for index, said in enumerate(mine):
            votes = sum(1 if one[index] else -1 for one in theirs)
            of += votes != 0
            same += votes != 0 and said == (votes > 0)
    return Share(same, of)


def ranking_agreement(items: Sequence[tuple[Places, Sequence[Places]]]) -> Share:
    """The pairs of completions that a candidate orders as most researchers do.

    `items`: as above, with the places of the completions, 1 is best. Ties are excluded: a pair counts where the
    candidate prefers one side and more researchers prefer one side than the other.
    """
    K = max((len(mine) for mine, _ in items), default=0)
    rows = [(number, who, places) for number, (mine, theirs) in enumerate(items) for who, places in _all(mine, theirs)]
    if not rows:
        return Share(0, 0)
    padded = np.array([[*places, *[0] * (K - len(places))] for _, _, places in rows], dtype=np.uint8)
    item, who = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    seen = against_the_others(Rankings(padded, item, who), len(items))
    return Share(int(seen.above[who == 0].sum()), int(seen.below[who == 0].sum()))


def _all(mine: Places, theirs: Sequence[Places]) -> list[tuple[int, Places]]:
    """Every ranking of an item with a number for whose it is; the candidate is 0."""
    return list(enumerate([mine, *theirs]))


def mean_grade(grades: Sequence[Sequence[int]]) -> Fraction | None:
    """The mean over demonstrations of each one's mean grade. `grades`: of each demonstration; those without any are
    left out. None where there are none at all."""
    means = [Fraction(sum(given), len(given)) for given in grades if given]
    return sum(means, Fraction()) / len(means) if means else None


def verdict(value: Fraction | None, cutoff: Fraction) -> str:
    """`above` from the cut-off on, `below`, or `unknown`."""
    if value is None:
        return "unknown"
    return "above" if value >= cutoff else "below"
