"""Who is at work on a round's batches, how fast, and how long its stages took in earlier rounds. Only reads."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from labeling.queue.models import OWN, Assignment
from labeling.rounds.models import Round, Stage

REMEMBERED = 5  # earlier rounds that a stage's duration is judged by


class Pace(NamedTuple):
    """Of one batch."""

    at_it: int = 0  # labelers who hold a piece of it now
    today: int = 0  # labels since midnight
    hour: int = 0  # labels in the last 60 minutes


def paces(batches: Iterable[int]) -> dict[int, Pace]:
    """By the batch's id, in one query. Gold and drift items come on top and are not counted."""
    now = timezone.now()
    midnight = timezone.localtime(now, settings.PAY_TIME_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    hour_ago = now - timedelta(hours=1)
    leased = Q(state=Assignment.State.LEASED, expires_at__gt=now)
    done = Q(state=Assignment.State.DONE)
    rows = (
        Assignment.objects.filter(leased | (done & Q(ended_at__gte=min(midnight, hour_ago))))
        .filter(item__batch__in=list(batches), item__control__in=OWN)
        .values("item__batch")
        .annotate(
            at_it=Count("labeler", distinct=True, filter=leased),
            today=Count("pk", filter=done & Q(ended_at__gte=midnight)),
            hour=Count("pk", filter=done & Q(ended_at__gte=hour_ago)),
        )
    )
    return {row["item__batch"]: Pace(row["at_it"], row["today"], row["hour"]) for row in rows}


def took_before(round_: Round, names: Collection[str]) -> dict[str, list[tuple[float, int]]]:
    """Per stage (seconds, labels) in the last earlier rounds; labels are 0 where nobody labels. One query."""
    rows = (
        Stage.objects.filter(state=Stage.State.DONE, name__in=names)
        .exclude(round=round_)
        .order_by("-finished_at")
        .values_list("name", "started_at", "finished_at", "result__labels")
    )
    found: dict[str, list[tuple[float, int]]] = {}
    for name, started, finished, labels in rows[: REMEMBERED * max(1, len(names))]:
        if len(found.setdefault(name, [])) < REMEMBERED and started and finished:
            found[name].append((seconds(started, finished), labels if isinstance(labels, int) else 0))
    return found


def seconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()
