"""PURE. The items behind a figure, the worst disagreement first."""

from typing import NamedTuple

import numpy as np

from labeling.agreement.figures import Overall, compute
from labeling.agreement.kappa import cohen
from labeling.agreement.labels import Labels
from labeling.agreement.pairs import compare, summed_by_item
from labeling.agreement.resampling import Estimate, Floats, Ints, estimates

APART = 3  # points of a rating from 1 to 7


class ItemLine(NamedTuple):
    """`alike` of `ordered` pairs of completions, over every two labelers who both put them in order; `split`: on how
    many completions labelers differ in what is looked at besides."""

    item: int
    labelers: int
    alike: int
    ordered: int
    split: int

    @property
    def share(self) -> float | None:
        return self.alike / self.ordered if self.ordered else None


class Two(NamedTuple):
    """Two labelers on the items that both ranked; `flags`: Cohen's kappa of each flag that both were asked."""

    overall: Overall
    flags: dict[str, Estimate | None]


def of_labelers(labels: Labels, *labelers: int) -> Labels:
    """The rankings of items that all of these labelers ranked: of two, theirs alone; of one, also the others'."""
    theirs = np.isin(labels.labelers[labels.rankings.labeler], labelers)
    many = np.bincount(labels.rankings.item, weights=theirs, minlength=len(labels.items))
    rows = many[labels.rankings.item] == len(labelers)
    return _only(labels, rows & theirs if len(labelers) > 1 else rows)


def lines(labels: Labels, *, labeler: int | None = None, split: Ints | None = None) -> list[ItemLine]:
    """With `labeler` only this one's comparisons with others count; with `split` ([items], from one of the functions
    below) the most split items come first, and others are left out."""
    items, rankings = len(labels.items), labels.rankings
    compared = compare(rankings)
    ends = labels.labelers[rankings.labeler[compared.first]], labels.labelers[rankings.labeler[compared.second]]
    counts = np.ones(len(compared.first), bool) if labeler is None else (ends[0] == labeler) | (ends[1] == labeler)
    at = rankings.item[compared.first[counts]]
    alike = np.bincount(at, weights=compared.alike[counts], minlength=items)
    opposite = np.bincount(at, weights=compared.opposite[counts], minlength=items)
    columns = [
        labels.items,
        np.bincount(rankings.item, minlength=items),
        alike,
        alike + opposite,
        np.zeros(items) if split is None else split,
    ]
    found = [ItemLine(*(int(value) for value in row)) for row in zip(*columns, strict=True)]
    return sorted((line for line in found if split is None or line.split), key=_worst_first)


def two(labels: Labels, one: int, other: int) -> Two:
    shared = of_labelers(labels, one, other)
    asked = [bit for bit in range(len(labels.flag_keys)) if np.any(shared.asked >> bit & 1)]
    found, _ = estimates([cohen(_table(shared, bit, one)) for bit in asked])
    flags = {shared.flag_keys[bit]: estimate for bit, estimate in zip(asked, found, strict=True)}
    return Two(compute(shared).overall, flags)


def _worst_first(line: ItemLine) -> tuple[int, bool, float, int, int]:
    share = line.share
    return -line.split, share is None, share or 0.0, -line.ordered, line.item


def _only(labels: Labels, rows: Ints) -> Labels:
    kept, item = np.unique(labels.rankings.item[rows], return_inverse=True)
    people, labeler = np.unique(labels.rankings.labeler[rows], return_inverse=True)
    return labels._replace(
        rankings=labels.rankings._replace(places=labels.rankings.places[rows], item=item, labeler=labeler),
        ratings=labels.ratings[rows],
        flags=labels.flags[rows],
        asked=labels.asked[rows],
        about={name: column[rows] for name, column in labels.about.items()},
        items=labels.items[kept],
        completions=labels.completions[kept],
        labelers=labels.labelers[people],
    )


def split_on_flag(labels: Labels, flag: str) -> Ints:
    """Per item, on how many completions some labelers ticked the flag and others did not."""
    bit = labels.flag_keys.index(flag)
    asked = (labels.rankings.places > 0) & ((labels.asked >> bit & 1) > 0)[:, None]
    ticked = summed_by_item(asked & ((labels.flags >> bit & 1) > 0), labels.rankings.item, len(labels.items))
    of = summed_by_item(asked, labels.rankings.item, len(labels.items))
    split: Ints = np.count_nonzero((ticked > 0) & (ticked < of), axis=1)
    return split


def split_on_ratings(labels: Labels) -> Ints:
    """Per item, on how many completions two ratings lie APART or more from each other."""
    if not len(labels.items):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(labels.rankings.item, prepend=-1))
    highest = np.maximum.reduceat(labels.ratings, starts, axis=0)
    lowest = np.minimum.reduceat(np.where(labels.ratings > 0, labels.ratings, 99), starts, axis=0)
    split: Ints = np.count_nonzero(highest.astype(np.int64) - lowest >= APART, axis=1)
    return split


def _table(shared: Labels, bit: int, one: int) -> Floats:
    """Of each item [2, 2]: what the first labeler said of its completions (row), and what the other (column)."""
    mine = shared.labelers[shared.rankings.labeler] == one
    first, second = np.flatnonzero(mine), np.flatnonzero(~mine)  # both in the order of the items
    asked = ((shared.asked[first] & shared.asked[second]) >> bit & 1 > 0)[:, None]
    there = asked & (shared.rankings.places[first] > 0) & (shared.rankings.places[second] > 0)
    said = [(shared.flags[rows] >> bit & 1) > 0 for rows in (first, second)]
    table = [
        [np.count_nonzero(there & (said[0] == row) & (said[1] == column), axis=1) for column in (False, True)]
        for row in (False, True)
    ]
    return np.moveaxis(np.array(table, dtype=float), -1, 0)
