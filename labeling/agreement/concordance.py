"""PURE. Kendall's coefficient of concordance W: how much all labelers of an item rank alike, ties corrected."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.pairs import Rankings, orders, summed_by_item
from labeling.agreement.resampling import Floats, Observations


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
    apart, ties = _ranks(rankings.places)
    spread = (summed_by_item(apart, rankings.item, items).astype(float) ** 2).sum(axis=1)
    corrections = np.bincount(rankings.item, weights=ties, minlength=items)
    completions = np.zeros(items)
    completions[rankings.item] = np.count_nonzero(rankings.places, axis=1)
    most = labelers**2 * (completions**3 - completions) - labelers * corrections
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.where((labelers > 1) & (most > 0), 12 * spread / most, np.nan)
    return Concordance(w, labelers)


def _ranks(places: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """How far each completion's rank is from the middle rank, tied ones sharing their mean: [R, K]; and each
    ranking's sum of t³ - t.

    A completion is half a rank further down for each that is preferred to it, half a rank further up for each that it
    is preferred to.
    """
    order, known = orders(places)
    K = places.shape[1]
    one, other = np.triu_indices(K, k=1)
    pair = np.arange(len(one))
    ends = np.zeros((len(one), K), dtype=np.float32)  # of each pair, the two completions
    ends[pair, one], ends[pair, other] = 1, 1
    losses = ends.copy()
    losses[pair, one] = -1
    apart: Floats = order.astype(np.float32) @ losses / 2
    tied_with = (known & (order == 0)).astype(np.float32) @ ends
    return apart, ((tied_with + 1) ** 2 - 1).sum(axis=1)  # t completions that have t - 1 beside them each


def mean_w(found: Concordance) -> Observations:
    """The mean of W over the items where it is defined."""
    return _over_items(found.w)


def mean_by_chance(found: Concordance) -> Observations:
    """What W would be on average if labelers ranked at random: 1/m, over the same items."""
    return _over_items(np.where(np.isnan(found.w), np.nan, 1 / np.maximum(found.labelers, 1)))


def _over_items(values: Floats) -> Observations:
    defined = ~np.isnan(values)
    return Observations(np.where(defined, values, 0.0), defined.astype(float), np.arange(len(values)))
