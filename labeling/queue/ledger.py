"""The ledger of active time."""

from datetime import datetime, timedelta

from django.db.models import F, Sum
from django.db.models.functions import Greatest

from labeling.labelers.models import Labeler
from labeling.queue.models import ActiveSpan, Kind


def active(labeler: Labeler, since: datetime) -> dict[str, timedelta]:
    """How long this labeler was at work since then, by kind of work."""
    rows = (
        ActiveSpan.objects.filter(labeler=labeler, ended_at__gt=since)
        .values("assignment__item__batch__kind")
        .annotate(time=Sum(F("ended_at") - Greatest(F("started_at"), since)))
    )
    times = dict.fromkeys(Kind.values, timedelta())
    return times | {row["assignment__item__batch__kind"]: row["time"] for row in rows}
