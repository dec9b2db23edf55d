"""PURE. Kappas for categories such as flags: agreement beyond what two who answer at random by their habits have."""

import numpy as np
from numpy.typing import ArrayLike

from labeling.agreement.resampling import Floats, Measure, first_over_second


def cohen_of(table: Floats) -> Floats:
    """Cohen's kappa (1960) from how often one labeler said the row and the other the column: [..., V, V] → [...].

    NaN where there is nothing, or where both always gave the same one answer.
    """
    total = table.sum(axis=(-1, -2))
    diagonal = np.trace(table, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total
        return np.where(total - expected > 1e-9 * total, (diagonal - expected) / (total - expected), np.nan)


def cohen(tables: ArrayLike) -> Measure:
    """Of two labelers: a table for each item, [items, V, V]."""
    counted = np.asarray(tables, dtype=float)
    V = counted.shape[-1]
    return Measure(counted.reshape(len(counted), V * V), lambda sums: cohen_of(sums.reshape(*sums.shape[:-1], V, V)))


def fleiss(counts: ArrayLike) -> Measure:
    """Fleiss' kappa (1971): [items, units, V] of how often each category was given to a unit of an item.

    Where units have different numbers of labelers, each counts by its shares (with equal numbers it is Fleiss' own
    formula). Units of fewer than two labelers are left out; NaN where only one category was ever used.
    """
    return Measure(_alike(counts), _fleiss_of)


def unanimity(counts: ArrayLike) -> Measure:
    """The share of two labelers, drawn from those of a unit, who gave it the same category; counts as for `fleiss`."""
    return Measure(_alike(counts), first_over_second)


def kappa_and_unanimity(counts: ArrayLike) -> tuple[Measure, Measure]:
    """Both, over the same sums."""
    sums = _alike(counts)
    return Measure(sums, _fleiss_of), Measure(sums, first_over_second)


def _alike(counts: ArrayLike) -> Floats:
    """Summed over the units of each item: the share of alike twos of labelers, units, and the categories' shares, of
    which the last is what the others leave: [items, 2 + V - 1]."""
    given = np.asarray(counts, dtype=np.float32)
    labelers = given.sum(axis=-1)
    several = labelers > 1
    each = np.divide(1, labelers, out=np.zeros_like(labelers), where=several)
    others = np.divide(1, labelers - 1, out=np.zeros_like(labelers), where=several)
    alike = (np.einsum("iuv,iuv->iu", given, given) - labelers) * each * others
    shares = np.einsum("iuv,iu->iv", given[..., :-1], each)
    return np.concatenate([np.stack([alike.sum(axis=-1), several.sum(axis=-1)], axis=-1), shares], axis=-1)


def _fleiss_of(sums: Floats) -> Floats:
    alike, units, shares = sums[..., 0], sums[..., 1], sums[..., 2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = shares / units[..., None]
        expected = (part**2).sum(axis=-1) + (1 - part.sum(axis=-1)) ** 2
        return np.where((units > 0) & (1 - expected > 1e-6), (alike / units - expected) / (1 - expected), np.nan)
