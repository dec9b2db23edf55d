"""What a labeler's start page says. Only reads, and few of them: everybody comes by here many times a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils import timezone

from labeling.guidelines.acknowledge import to_read
from labeling.guidelines.publish import ensure_first
from labeling.labelers import rates
from labeling.models import Assignment, Guideline, Kind, Labeler, WorkItem
from labeling.prompts import topics
from labeling.queue import dispatch, ledger
from labeling.queue.models import Lane

NONE = timedelta()


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
    active_today: timedelta = NONE
    active_week: timedelta = NONE

    @property
    def capped(self) -> bool:
        return self.open >= dispatch.COUNT_CAP

    @property
    def is_quiet(self) -> bool:
        """Nothing to do, to wait for or to look back on: a kind that needs no more than a line."""
        return not (self.open or self.held or self.returning or self.was_done)

    @property
    def was_done(self) -> bool:
        return bool(self.week or self.active_week)


def start_page(labeler: Labeler) -> dict[str, Any]:
    """The page's context."""
    works = work_of(labeler)
    today = sum((work.active_today for work in works), NONE)
    week = sum((work.active_week for work in works), NONE)
    return {
        "labeler": labeler,
        "works": [work for work in works if not work.is_quiet],
        "quiet": [work for work in works if work.is_quiet],
        "done": [work for work in works if work.was_done],
        "today": sum(work.today for work in works),
        "week": sum(work.week for work in works),
        "to_read": _to_read(labeler),
        "unwanted": topics.names_of(labeler.unwanted_topics),
        "active_today": today,
        "active_week": week,
        "earned_today": rates.earned(labeler, today),
        "earned_week": rates.earned(labeler, week),
    }


def work_of(labeler: Labeler) -> list[Work]:
    """Every kind of work, with honest counts. Days begin where those of the timesheets do."""
    midnight = timezone.localtime(timezone=settings.PAY_TIME_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    lanes = {kind: Lane.of(kind, labeler.cohort) for kind in Kind}
    counts, done, held = dispatch.counts(labeler), _done(labeler, midnight, monday), _held(labeler)
    active_today, active_week = ledger.active(labeler, midnight), ledger.active(labeler, monday)
    empty = [lane for kind, lane in lanes.items() if not counts[kind] and lane not in held]
    returning = _returning(labeler, empty)
    works = []
    for kind, lane in lanes.items():
        back, back_at = returning.get(lane, (0, None))
        today, week = done.get(lane, (0, 0))
        time = {"active_today": active_today.get(kind, NONE), "active_week": active_week.get(kind, NONE)}
        works.append(Work(kind, counts[kind], held.get(lane), back, back_at, today, week, **time))
    return works


def _to_read(labeler: Labeler) -> list[Guideline]:
    if not labeler.must_read:
        return []
    ensure_first()  # the first labeler of a new installation comes before the first batch
    return list(to_read(labeler))


def _held(labeler: Labeler) -> dict[int, Assignment]:
    leases = Assignment.objects.filter(labeler=labeler, state=Assignment.State.LEASED, expires_at__gt=timezone.now())
    return {lease.lane: lease for lease in leases}


def _done(labeler: Labeler, midnight: datetime, monday: datetime) -> dict[int, tuple[int, int]]:
    """Per lane what was done today and this week."""
    rows = (
        Assignment.objects.filter(labeler=labeler, state=Assignment.State.DONE, ended_at__gte=monday)
        .values("lane")
        .annotate(week=Count("pk"), today=Count("pk", filter=Q(ended_at__gte=midnight)))
    )
    return {row["lane"]: (row["today"], row["week"]) for row in rows}


def is_resting(labeler: Labeler, kind: Kind) -> bool:
    """Whether work of this kind is only paused, and so comes back."""
    paused = WorkItem.objects.filter(lane=Lane.of(kind, labeler.cohort), is_paused=True, withdrawn_at=None)
    return paused.filter(taken__lt=F("need")).exists()


def _returning(labeler: Labeler, lanes: Iterable[Lane]) -> dict[int, tuple[int, datetime]]:
    """Per lane how many pieces others hold that this labeler might get, and when the first lease of them ends."""
    mine = Assignment.objects.filter(labeler=labeler, item=OuterRef("item"))
    leases = Assignment.objects.filter(
        ~Exists(mine),
        lane__in=lanes,
        state=Assignment.State.LEASED,
        item__withdrawn_at=None,
        item__held_at=None,
        item__is_paused=False,
    ).exclude(item__authors__contains=[labeler.pk])
    if labeler.unwanted_topics:
        leases = leases.exclude(item__topics__overlap=labeler.unwanted_topics)
    rows = leases.values("lane").annotate(items=Count("item", distinct=True), first=Min("expires_at"))
    return {row["lane"]: (row["items"], row["first"]) for row in rows}
