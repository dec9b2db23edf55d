"""The agreement page's figures: computed once for each version of the data, then known."""

import contextlib
import ctypes
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from django.core.cache import caches
from django.utils import timezone

from labeling.agreement import rows, wording
from labeling.agreement.figures import Figures, compute
from labeling.agreement.rows import Filters
from labeling.agreement.wording import Counts, Report

# Figures are kept under the version of their data and of the code that computed them, so they cannot be stale.
CODE = sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:16]


class _Known(NamedTuple):
    figures: Figures
    counts: Counts
    computed_at: datetime


def of(filters: Filters) -> Report:
    """The figures of what the database holds now; they are computed anew where it has changed."""
    listed = rows.listed(filters)
    cache = caches["reports"]
    key = f"agreement-{CODE}-{listed.version}"
    known: _Known | None = cache.get(key)
    if known is None:
        known = _computed(filters, listed)
        cache.set(key, known)
        _give_back()
    return wording.said(filters.chosen(), listed.version, known.computed_at, known.counts, known.figures)


def _computed(filters: Filters, listed: rows.Listed) -> _Known:
    labels = rows.read(filters, listed)
    figures = compute(labels)
    counts = Counts(
        rankings=len(listed.about["id"]),
        items=len(set(listed.about["item"].tolist())),
        shared_rankings=len(labels.rankings.item),
        shared_items=len(labels.items),
        labelers=len(labels.labelers),
        comparisons=figures.comparisons,
    )
    return _Known(figures, counts, timezone.now())


def _give_back() -> None:
    """Hands what was freed to the system. glibc would keep some 150 MB for each thread that once computed."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
