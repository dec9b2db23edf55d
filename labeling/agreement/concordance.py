"""PURE. Kendall's coefficient of concordance W: how much all labelers of an item rank alike, ties corrected."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.pairs import Rankings
from labeling.agreement.resampling import Floats, Observations

AT_ONCE = 1 << 15  # rankings held in memory at a time


class Concordance(NamedTuple):
    """Per item, each [items]: W from 0 to 1 (NaN where undefined), and how many labelers ranked."""

    w: Floats
    labelers: NDArray[np.int64]


def concordance(rankings: Rankings, items: int) -> Concordance:
    """W of every item from those who ranked it: with m labelers, n completions and mean ranks for ties,

    W = 12 S / (m² (n³ - n) - m T), where S is the sum of squares of the completions' rank sums around their mean and
    T the sum of t³ - t over all labelers' groups of t tied completions (Kendall and Gibbons 1990, ch. 6). Undefined
    for one labeler, for one completion, and where every labeler ties everything. Each labeler has to rank all of the
    item's completions; pure chance gives 1/m on average, so it is read beside m.
    """
    labelers = np.bincount(rankings.item, minlength=items)
    sums, corrections = np.zeros((items, rankings.places.shape[1])), np.zeros(items)
    for start in range(0, len(rankings.item), AT_ONCE):
        at = slice(start, start + AT_ONCE)
        ranks, ties = _mean_ranks(rankings.places[at])
        np.add.at(sums, rankings.item[at], ranks)
        np.add.at(corrections, rankings.item[at], ties)
    completions = np.count_nonzero(sums, axis=1)
    mean = sums.sum(axis=1) / np.maximum(completions, 1)
    spread = np.where(sums > 0, (sums - mean[:, None]) ** 2, 0.0).sum(axis=1)
    most = labelers**2 * (completions**3 - completions) - labelers * corrections
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where((labelers > 1) & (most > 0), 12 * spread / most, np.nan)
    return Concordance(w, labelers)


def _mean_ranks(places: NDArray[np.uint8]) -> tuple[Floats, NDArray[Any]]:
    """Ranks from 1, tied completions sharing the mean of theirs (0: not ranked), [R, K]; and each ranking's t³ - t."""
    ranked = places > 0
    both = ranked[:, :, None] & ranked[:, None, :]
    before = np.count_nonzero(both & (places[:, None, :] < places[:, :, None]), axis=2)
    equal = np.count_nonzero(both & (places[:, None, :] == places[:, :, None]), axis=2)
    ranks = np.where(ranked, before + (equal + 1) / 2, 0.0)
    return ranks, np.where(ranked, equal**2 - 1, 0).sum(axis=1)


def mean_w(found: Concordance) -> Observations:
    """The mean of W over the items where it is defined."""
    return _over_items(found.w)


def mean_by_chance(found: Concordance) -> Observations:
    """What W would be on average if labelers ranked at random: 1/m, over the same items."""
    return _over_items(np.where(np.isnan(found.w), np.nan, 1 / np.maximum(found.labelers, 1)))


def _over_items(values: Floats) -> Observations:
    defined = ~np.isnan(values)
    return Observations(np.where(defined, values, 0.0), defined.astype(float), np.arange(len(values)))
