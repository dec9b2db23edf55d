"""The agreement page's figures: computed once for each version of the data, then known."""

from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from labeling.agreement import rows, wording
from labeling.agreement.figures import Figures, compute
from labeling.agreement.known import known
from labeling.agreement.rows import Filters
from labeling.agreement.wording import Counts, Report


class _Known(NamedTuple):
    figures: Figures
    counts: Counts
    computed_at: datetime


def of(filters: Filters) -> Report:
    """The figures of what the database holds now; they are computed anew where it has changed."""
    listed = rows.listed(filters)
    found = known("agreement", listed.version, lambda: _computed(filters, listed))
    return wording.said(filters.chosen(), listed.version, found.computed_at, found.counts, found.figures)


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
