"""Bradley-Terry over all rankings, which takes longer than a page may: a worker computes it, pages look it up.

It is kept under the version of the rankings. Until it is there a page says that it is being computed, and may show the
one before, under its own date and version.
"""

from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.core.cache import caches
from django.utils import timezone

from labeling.agreement import rows
from labeling.agreement.consensus import bradley_terry, places_of
from labeling.agreement.known import name
from labeling.agreement.resampling import Floats, Ints
from labeling.agreement.rows import Filters, Listed
from training.doorbell import ring

AT_ONCE = 2000  # rankings: so few take a fraction of a second
LAST = "consensus-last"
WHAT, TASK = "consensus", "labeling.tasks.compute_consensus"
ASK_AGAIN = 120  # seconds: a worker that was told needs so long at most before it may be told again


class Fitted(NamedTuple):
    """`items` ascend; `completions`, `scores`: [items, K], 0 and NaN where there is none. `labelers` ascend."""

    version: str
    computed_at: datetime
    items: Ints
    completions: Ints
    scores: Floats
    labelers: Ints
    reliability: Floats


class Looked(NamedTuple):
    """What is there now: `is_current` says whether it is of exactly the rankings that are stored."""

    fitted: Fitted | None
    is_current: bool
    version: str


class OfItem(NamedTuple):
    """By completion id."""

    scores: dict[int, float]
    places: dict[int, int]


def look() -> Looked:
    """Never waits long: few rankings are computed at once, for many a worker is told."""
    listed = rows.listed(Filters())
    cache = caches["reports"]
    fitted: Fitted | None = cache.get(name(WHAT, listed.version))
    if fitted is None and len(listed.about["id"]) <= AT_ONCE:
        fitted = _fit(listed)
    if fitted is not None:
        return Looked(fitted, True, listed.version)
    if cache.add(f"{WHAT}-asked-{listed.version}", True, ASK_AGAIN):
        ring(TASK)
    return Looked(cache.get(LAST), False, listed.version)


def compute() -> Fitted:
    """Of the rankings that are stored now; twice is the same as once."""
    listed = rows.listed(Filters())
    known: Fitted | None = caches["reports"].get(name(WHAT, listed.version))
    return known or _fit(listed)


def _fit(listed: Listed) -> Fitted:
    labels = rows.read(Filters(), listed)
    found = bradley_terry(labels.rankings, len(labels.items), len(labels.labelers))
    fitted = Fitted(
        listed.version,
        timezone.now(),
        labels.items,
        labels.completions,
        found.scores,
        labels.labelers,
        found.reliability,
    )
    cache = caches["reports"]
    cache.set(name(WHAT, listed.version), fitted)
    cache.set(LAST, fitted)
    return fitted


def of_item(fitted: Fitted, item: int) -> OfItem | None:
    """None for an item that fewer than two labelers had ranked then."""
    at = int(np.searchsorted(fitted.items, item))
    if at == len(fitted.items) or fitted.items[at] != item:
        return None
    there = ~np.isnan(fitted.scores[at])
    ids = fitted.completions[at][there].tolist()
    places = places_of(np.round(fitted.scores[at : at + 1], 2))[0][there].tolist()
    return OfItem(dict(zip(ids, fitted.scores[at][there].tolist(), strict=True)), dict(zip(ids, places, strict=True)))


def of_labeler(fitted: Fitted, labeler: int) -> float | None:
    """1 is the average labeler, 0 one whose orders say nothing, below 0 one who orders the other way round."""
    at = int(np.searchsorted(fitted.labelers, labeler))
    if at == len(fitted.labelers) or fitted.labelers[at] != labeler:
        return None
    return float(fitted.reliability[at])
