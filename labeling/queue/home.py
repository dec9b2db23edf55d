"""What a labeler's start page says about each kind of work. Only reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import timezone

from labeling.models import Assignment, Kind, Labeler
from labeling.queue import dispatch
from labeling.queue.models import Lane


@dataclass(frozen=True)
class Work:
    """One kind of work as it stands for one labeler."""

    kind: Kind
    open: int  # pieces that the queue would give out now; COUNT_CAP means that many or more
    held: Assignment | None  # the lease that this labeler holds
    returning: int  # pieces that others hold and this labeler might get
    returns_at: datetime | None  # when the first of those comes back, unless it is finished or renewed
    today: int
    week: int

    @property
    def capped(self) -> bool:
        return self.open >= dispatch.COUNT_CAP


def work_of(labeler: Labeler) -> list[Work]:
    """Every kind of work, with honest counts."""
    now = timezone.localtime()
    counts, done, held = dispatch.counts(labeler), _done(labeler, now), _held(labeler)
    works = []
    for kind in Kind:
        lane = Lane.of(kind, labeler.cohort)
        is_empty = not counts[kind] and lane not in held
        returning, returns_at = _returning(labeler, lane) if is_empty else (0, None)
        today, week = done.get(lane, (0, 0))
        works.append(Work(kind, counts[kind], held.get(lane), returning, returns_at, today, week))
    return works


def _held(labeler: Labeler) -> dict[int, Assignment]:
    leases = Assignment.objects.filter(labeler=labeler, state=Assignment.State.LEASED, expires_at__gt=timezone.now())
    return {lease.lane: lease for lease in leases}


def _done(labeler: Labeler, now: datetime) -> dict[int, tuple[int, int]]:
    """Per lane what was done since midnight and since Monday."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=now.weekday())
    rows = (
        Assignment.objects.filter(labeler=labeler, state=Assignment.State.DONE, ended_at__gte=monday)
        .values("lane")
        .annotate(week=Count("pk"), today=Count("pk", filter=Q(ended_at__gte=midnight)))
    )
    return {row["lane"]: (row["today"], row["week"]) for row in rows}


def _returning(labeler: Labeler, lane: Lane) -> tuple[int, datetime | None]:
    mine = Assignment.objects.filter(labeler=labeler, item=OuterRef("item"))
    found = Assignment.objects.filter(
        ~Exists(mine), lane=lane, state=Assignment.State.LEASED, item__withdrawn_at=None
    ).aggregate(items=Count("item", distinct=True), first=Min("expires_at"))
    return found["items"], found["first"]
