"""PURE. Krippendorff's alpha: 1 - observed disagreement / disagreement expected by chance.

It takes any number of labelers, gaps included, and any distance between values (Krippendorff 2011, 'Computing
Krippendorff's Alpha-Reliability'). Everything follows from the coincidences: within a unit of m values each ordered
two of them count 1/(m - 1), units of one value count nothing.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from labeling.agreement.pairs import Compared, Rankings, distance, orders
from labeling.agreement.resampling import Floats, Ints, Measure

Distances = Callable[[Floats], Floats]  # how often each value occurs [..., V] → squared distances [..., V, V]


def nominal(occurrences: Floats) -> Floats:
    """0 for the same value, 1 for any other."""
    apart: Floats = 1.0 - np.eye(occurrences.shape[-1])
    return apart


def ordinal(occurrences: Floats) -> Floats:
    """By how many occurrences lie between two values; the values stand in their order."""
    middle = np.cumsum(occurrences, axis=-1) - occurrences / 2
    apart: Floats = (middle[..., :, None] - middle[..., None, :]) ** 2
    return apart


def interval(values: ArrayLike) -> Distances:
    """By the square of the difference of these values."""
    levels = np.asarray(values, dtype=float)
    return fixed((levels[:, None] - levels[None, :]) ** 2)


def fixed(distances: ArrayLike) -> Distances:
    """By a table [V, V]; its entries stand in the place of squared differences."""
    table = np.asarray(distances, dtype=float)
    return lambda occurrences: table


def coincidences(counts: ArrayLike) -> Floats:
    """Per unit, [..., units, V] of how often each value was given → [..., V, V], summed over the units."""
    given = np.asarray(counts, dtype=np.float32)
    others = given.sum(axis=-1, keepdims=True) - 1
    share = np.divide(given, others, out=np.zeros_like(given), where=others > 0)
    found = np.asarray(np.swapaxes(share, -1, -2) @ given, dtype=np.float32)
    diagonal = np.arange(given.shape[-1])
    found[..., diagonal, diagonal] -= share.sum(axis=-2)
    return found


def alpha_of(coincident: Floats, distances: Distances) -> Floats:
    """[..., V, V] → [...]; NaN where no unit has two values, or where all values are the same."""
    occurrences = coincident.sum(axis=-1)
    total = occurrences.sum(axis=-1)
    apart = distances(occurrences)
    observed = (coincident * apart).sum(axis=(-1, -2))
    expected = (occurrences[..., :, None] * occurrences[..., None, :] * apart).sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def alpha(counts: ArrayLike, distances: Distances) -> Measure:
    """Of values given to units that belong to items: counts [items, units, V]. Items are what is resampled."""
    found = coincidences(counts)
    upper = np.triu_indices(found.shape[-1])  # coincidences are symmetric
    return Measure(found[:, upper[0], upper[1]], formula(found.shape[-1], distances))


def formula(V: int, distances: Distances) -> Callable[[Floats], Floats]:
    """Alpha from the upper triangle of the coincidences of V values."""
    one, other = np.triu_indices(V)

    def of(sums: Floats) -> Floats:
        coincident = np.zeros((*sums.shape[:-1], V, V))
        coincident[..., one, other] = coincident[..., other, one] = sums
        return alpha_of(coincident, distances)

    return of


def ranking_alpha(rankings: Rankings, compared: Compared, items: int) -> Measure:
    """Of whole rankings, by Kemeny's distance.

    An item's completions are no other item's, so there are no values that return from item to item. What is expected
    by chance is the distance of two of all rankings whose completions are matched at random. It depends on the ties
    alone: where the two rankings order shares s and t of their pairs strictly, it is (s + t - s t) / 2, that is 1/2
    without ties.
    """
    size = np.bincount(rankings.item, minlength=items)
    apart = distance(compared)
    at = rankings.item[compared.first]
    observed = np.bincount(at, weights=2 * np.nan_to_num(apart) / (size[at] - 1), minlength=items)
    order, known = orders(rankings.places)
    strict: Floats = np.count_nonzero(order, axis=1) / np.maximum(np.count_nonzero(known, axis=1), 1)
    several = (size > 1).astype(float)
    per_item = [
        observed,
        size * several,
        _summed(rankings.item, strict, items) * several,
        _summed(rankings.item, strict**2, items) * several,
    ]
    return Measure(np.stack(per_item, axis=1), _ranking_alpha_of)


def _summed(item: Ints, values: Floats, items: int) -> Floats:
    summed: Floats = np.bincount(item, weights=values, minlength=items).astype(float)
    return summed


def _ranking_alpha_of(sums: Floats) -> Floats:
    observed, total, strict, squares = np.moveaxis(sums, -1, 0)
    # Over ordered twos of different rankings: (s + t) / 2 adds up to (N - 1) S, s t to S² - the sum of squares.
    expected = (total - 1) * strict - (strict**2 - squares) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 1e-9, 1 - (total - 1) * observed / expected, np.nan)
