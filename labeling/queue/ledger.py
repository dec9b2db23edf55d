"""The ledger of active time: who was at work on what, from one sign of life to the next. The only writer of ActiveSpan.

A sign of life is a claim, real input in a visible tab (podium.js, at most every 15 s), a saved draft, a renewed lease,
a submit or a skip. Looking at a page is none: a read never writes, and a browser that restores its tabs is not at work.
Between two signs that are at most IDLE_SECONDS apart the labeler was active; longer gaps are idle and count nothing.
Two tabs, or a draft beside a ping, sign the same moments, and a moment counts once: spans follow each other.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from labeling.labelers.models import Labeler
from labeling.queue.models import ActiveSpan, Assignment, Kind, Lane

# One statement and no lock beside the last span's row. Two signs at once: the second waits for the row and finds it
# longer, or finds it last no more; then its own new span meets `one_last_span` and is dropped. The count makes the old
# span give up its place before the new one asks for it.
SIGN = """
WITH last AS MATERIALIZED (
    SELECT id, assignment_id, ended_at, ended_at >= %(now)s - %(idle)s AS is_near
    FROM labeling_activespan WHERE labeler_id = %(labeler)s AND is_last
    FOR UPDATE
), longer AS (
    UPDATE labeling_activespan s SET ended_at = greatest(s.ended_at, %(now)s)
    FROM last WHERE s.id = last.id AND last.is_near AND last.assignment_id = %(assignment)s
    RETURNING s.id
), closed AS (
    UPDATE labeling_activespan s SET is_last = false
    FROM last WHERE s.id = last.id AND NOT (last.is_near AND last.assignment_id = %(assignment)s)
    RETURNING s.id
), start AS (
    SELECT coalesce((SELECT ended_at FROM last WHERE is_near), %(now)s) AS at, (SELECT count(*) FROM closed) AS closed
)
INSERT INTO labeling_activespan (labeler_id, assignment_id, started_at, ended_at, is_last)
SELECT %(labeler)s, %(assignment)s, start.at, greatest(start.at, %(now)s), true
FROM start WHERE NOT EXISTS (SELECT FROM longer) AND start.closed >= 0
ON CONFLICT DO NOTHING
"""


def sign(labeler_id: int, assignment_id: UUID) -> None:
    """This labeler is at work on this piece of theirs, now."""
    params: dict[str, Any] = {
        "labeler": labeler_id,
        "assignment": assignment_id,
        "now": timezone.now(),
        "idle": timedelta(seconds=settings.IDLE_SECONDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(SIGN, params)


def active(labeler: Labeler, since: datetime) -> dict[str, timedelta]:
    """How long this labeler was at work since then, by kind of work."""
    rows = (
        ActiveSpan.objects.filter(labeler=labeler, ended_at__gt=since)
        .values_list("assignment__lane")
        .annotate(time=Sum(F("ended_at") - Greatest(F("started_at"), since)))
    )
    times = dict.fromkeys(Kind.values, timedelta())
    for lane, time in rows:
        times[Lane(lane).kind] += time
    return times


def active_on(assignment: Assignment) -> timedelta:
    """How long its labeler was at work on this piece."""
    spans = ActiveSpan.objects.filter(assignment=assignment).aggregate(time=Sum(F("ended_at") - F("started_at")))
    time: timedelta | None = spans["time"]
    return time or timedelta()
