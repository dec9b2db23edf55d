"""PURE. What stands out about a labeler's rankings, with the evidence: suggestions for a person to look at.

Every test asks two questions: is the effect large enough to matter, and is it beyond chance (`Z` standard errors, over
rankings, since the pairs of a ranking are not independent). The limits are for some hundred rankings a labeler.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.pairs import Rankings, against_the_others, compare, orders
from labeling.agreement.resampling import Floats, Ints

Z = 4.0  # standard errors: of 40 labelers and four tests, one false alarm in a hundred times
BELOW = 0.10  # agreement below that of the median labeler
TILT = 0.07  # of pairs, above or below one half
PATTERN = 0.25  # of rankings, the same places from top to bottom of the page
ENOUGH = 25  # rankings, and rankings of one K for a pattern: of fewer, anything happens by chance
COPIED = 0.30  # of rankings, above the median labeler's share
GOLD, DRIFT = "gold", "drift"  # kinds of answers that are known (answers.py)


class Scorecards(NamedTuple):
    """A number for each labeler, NaN where there is nothing to count.

    `with_others`: pairs ordered as the majority of the others does. `first_preferred`: pairs in which the completion
    that stood first on the page is preferred. `same_pattern`: rankings with the labeler's most frequent places from top
    to bottom, of those of the same K (where they are ENOUGH). `entropy`: of these patterns, in bits a ranking; 0 is
    always the same one.
    `repeats_earlier`: rankings the same as an earlier one of the item, of those that have an earlier one. Each with
    its `…_z` where chance has to be told apart.
    """

    rankings: Ints
    with_others: Floats
    with_others_z: Floats
    first_preferred: Floats
    first_preferred_z: Floats
    same_pattern: Floats
    entropy: Floats
    repeats_earlier: Floats
    repeats_earlier_z: Floats


class OnKnown(NamedTuple):
    """Of known answers of one kind, [labelers] each: how many, pairs ordered as known, `rate_z` as above."""

    answers: Ints
    rate: Floats
    rate_z: Floats


class Flags(NamedTuple):
    """[labelers] each: whether it stands out."""

    disagrees: NDArray[np.bool_]
    prefers_a_position: NDArray[np.bool_]
    always_the_same: NDArray[np.bool_]
    repeats_others: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        return self.disagrees | self.prefers_a_position | self.always_the_same | self.repeats_others


def scorecards(rankings: Rankings, position: NDArray[np.uint8], items: int, labelers: int) -> Scorecards:
    """`position`: [R, K], where each completion stood on the page, 1 the first, 0 none. The rankings of an item stand
    in the order they were made in."""
    others = against_the_others(rankings, items)
    with_others, with_z = _rate(others.above, others.below, rankings.labeler, labelers)
    preferred, ordered = _first_preferred(rankings, position)
    first, first_z = _rate(preferred, ordered, rankings.labeler, labelers, expected=0.5)
    repeated, has_earlier = _repeats(rankings)
    repeats, repeats_z = _rate(repeated, has_earlier, rankings.labeler, labelers)
    same, entropy = _patterns(rankings, position, labelers)
    return Scorecards(
        np.bincount(rankings.labeler, minlength=labelers),
        *(with_others, with_z, first, first_z, same, entropy, repeats, repeats_z),
    )


def flags(cards: Scorecards) -> Flags:
    """Who stands out, by the limits above; nobody of fewer than ENOUGH rankings."""
    judged = cards.rankings >= ENOUGH
    with np.errstate(invalid="ignore"):
        less = cards.with_others < _median(cards.with_others) - BELOW
        tilted = abs(cards.first_preferred - 0.5) > TILT
        more = cards.repeats_earlier > _median(cards.repeats_earlier) + COPIED
        return Flags(
            disagrees=judged & less & (cards.with_others_z < -Z),
            prefers_a_position=judged & tilted & (abs(cards.first_preferred_z) > Z),
            always_the_same=judged & (cards.same_pattern > PATTERN),
            repeats_others=judged & more & (cards.repeats_earlier_z > Z),
        )


def on_known(right: Floats, pairs: Floats, labeler: Ints, labelers: int) -> OnKnown:
    """`right`, `pairs`, `labeler`: [N], of each answer."""
    answers = np.bincount(labeler, minlength=labelers)
    return OnKnown(answers, *_rate(right, pairs, labeler, labelers))


def falls_short(known: OnKnown) -> NDArray[np.bool_]:
    """[labelers]: by the same limits, below the median labeler; nobody of fewer than ENOUGH answers."""
    with np.errstate(invalid="ignore"):
        less = known.rate < _median(known.rate) - BELOW
        return (known.answers >= ENOUGH) & less & (known.rate_z < -Z)


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _rate(
    above: Floats, below: Floats, labeler: Ints, labelers: int, expected: float | None = None
) -> tuple[Floats, Floats]:
    """Each labeler's rate, and how many standard errors over rankings it lies from what is expected: the median
    labeler's rate where nothing is given."""
    top, bottom = (np.bincount(labeler, weights=values, minlength=labelers) for values in (above, below))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate: Floats = np.where(bottom > 0, top / bottom, np.nan)
        wanted = _median(rate) if expected is None else expected
        # The variance of a ratio over rankings, around the labeler's own rate.
        squares = (above - np.nan_to_num(rate)[labeler] * below) ** 2
        error = np.sqrt(np.bincount(labeler, weights=squares, minlength=labelers) + 1) / bottom
        return rate, (rate - wanted) / error


def _first_preferred(rankings: Rankings, position: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Per ranking: pairs in which the one that stood first is preferred, and pairs put in order at all."""
    order, _ = orders(rankings.places)
    stood, _ = orders(position)
    preferred = np.count_nonzero((order * stood) > 0, axis=1).astype(float)
    return preferred, np.count_nonzero(order, axis=1).astype(float)


def _repeats(rankings: Rankings) -> tuple[Floats, Floats]:
    compared = compare(rankings)
    same = (compared.opposite + compared.tied_first + compared.tied_second) == 0
    repeated = np.zeros(len(rankings.item), dtype=bool)
    repeated[compared.second[same]] = True
    has_earlier = np.zeros(len(rankings.item), dtype=bool)
    has_earlier[compared.second] = True
    return repeated.astype(float), has_earlier.astype(float)


def _patterns(rankings: Rankings, position: NDArray[np.uint8], labelers: int) -> tuple[Floats, Floats]:
    """The share of the most frequent places from top to bottom, and the entropy of all; a share is of the rankings of
    the K that the labeler had most often."""
    on_page = np.zeros_like(rankings.places)
    row, column = np.nonzero(rankings.places)
    on_page[row, position[row, column].astype(int) - 1] = rankings.places[row, column]
    k = np.count_nonzero(rankings.places, axis=1)
    same, entropy = np.full(labelers, np.nan), np.full(labelers, np.nan)
    for labeler in np.unique(rankings.labeler):
        own = rankings.labeler == labeler
        _, pattern, counts = np.unique(on_page[own], axis=0, return_inverse=True, return_counts=True)
        of_k = np.bincount(k[own])[k[own]]
        share = counts[pattern.ravel()] / of_k
        same[labeler] = np.max(share[of_k >= ENOUGH], initial=-1.0)
        part = counts / counts.sum()
        entropy[labeler] = -(part * np.log2(part)).sum()
    return np.where(same < 0, np.nan, same), entropy
