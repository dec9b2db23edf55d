"""PURE. The rankings behind a labeler's figures, each with the number that speaks for or against it."""

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.pairs import Rankings, compare, orders
from labeling.agreement.resampling import Floats, Ints

KEPT = 200


def first_preferred(rankings: Rankings, position: NDArray[np.uint8]) -> Floats:
    """[R]: of the pairs put in order, the share in which what stood first is preferred; NaN where all are tied."""
    order, _ = orders(rankings.places)
    stood, _ = orders(position)
    strict = np.count_nonzero(order, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.count_nonzero(order * stood > 0, axis=1) / np.where(strict, strict, np.nan)
    return share


def won_at(rankings: Rankings, position: NDArray[np.uint8], labelers: int) -> Floats:
    """[labelers, 10, 2]: by where a completion stood (1 to 9), pairs that it won, and pairs put in order."""
    order, _ = orders(rankings.places)
    one, other = np.triu_indices(rankings.places.shape[1], k=1)
    counts = np.zeros((2, labelers * 10))
    row, pair = np.nonzero(order)
    for side, sign in ((one, 1), (other, -1)):
        where = rankings.labeler[row] * 10 + position[row, side[pair]]
        counts += [np.bincount(where, weights, labelers * 10) for weights in (order[row, pair] == sign, None)]
    return np.moveaxis(counts.reshape(2, labelers, 10), 0, -1)


def tied(rankings: Rankings) -> tuple[Floats, Floats]:
    """[R] each: pairs that are tied, and all pairs."""
    order, known = orders(rankings.places)
    pairs = np.count_nonzero(known, axis=1).astype(float)
    return pairs - np.count_nonzero(order, axis=1), pairs


def on_page(rankings: Rankings, position: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[R, K]: the places from top to bottom of the page."""
    found = np.zeros_like(rankings.places)
    row, column = np.nonzero(rankings.places)
    # Identical samples share a card, so positions may have gaps: they are counted anew.
    stood = np.where(rankings.places > 0, position, 99).argsort(axis=1, kind="stable").argsort(axis=1)
    found[row, stood[row, column]] = rankings.places[row, column]
    return found


def most_frequent(pages: NDArray[np.uint8]) -> tuple[list[int], NDArray[np.bool_]]:
    """The places from top to bottom that stand most often in these rows, and which rows have them."""
    patterns, at, counts = np.unique(pages, axis=0, return_inverse=True, return_counts=True)
    best = int(np.argmax(counts))
    return [int(place) for place in patterns[best] if place], at.ravel() == best


def repeats(rankings: Rankings) -> NDArray[np.bool_]:
    """[R]: the same as an earlier ranking of the item."""
    compared = compare(rankings)
    same = (compared.opposite + compared.tied_first + compared.tied_second) == 0
    found = np.zeros(len(rankings.item), dtype=bool)
    found[compared.second[same]] = True
    return found


def highest(items: Ints, values: Floats, *, lowest: bool = False) -> list[tuple[int, float]]:
    """Up to KEPT items with their values, the largest first (or the smallest); undefined ones are left out."""
    known = ~np.isnan(values)
    order = np.argsort(values[known] if lowest else -values[known], kind="stable")[:KEPT]
    return [(int(items[known][at]), float(values[known][at])) for at in order]
