"""PURE. Kappas for categories such as flags: agreement beyond what two who answer at random by their habits have."""

import numpy as np
from numpy.typing import ArrayLike

from labeling.agreement.resampling import Floats, Measure


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
    given = np.asarray(counts, dtype=np.float32)
    labelers = given.sum(axis=-1)
    several = labelers > 1
    safe = np.where(several, labelers, 2)
    alike = np.where(several, ((given**2).sum(axis=-1) - labelers) / (safe * (safe - 1)), 0.0)
    shares = np.where(several[..., None], given / safe[..., None], 0.0)
    per_item = np.concatenate(
        [alike.sum(axis=-1, keepdims=True), several.sum(axis=-1, keepdims=True), shares.sum(axis=-2)], axis=-1
    )
    return Measure(per_item, _fleiss_of)


def _fleiss_of(sums: Floats) -> Floats:
    alike, units, shares = sums[..., 0], sums[..., 1], sums[..., 2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = ((shares / units[..., None]) ** 2).sum(axis=-1)
        return np.where((units > 0) & (1 - expected > 1e-6), (alike / units - expected) / (1 - expected), np.nan)


def unanimity(counts: ArrayLike) -> Measure:
    """The share of two labelers, drawn from those of a unit, who gave it the same category; counts as for `fleiss`."""
    alike_and_units = fleiss(counts).per_item[:, :2]
    return Measure(alike_and_units, _ratio)


def _ratio(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)
