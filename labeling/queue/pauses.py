"""Whole batches that are taken out of the line for a while or for good, and put back. Called through dispatch.py alone.

The pause is a mark on every item and not on the batch: whatever opens an item (a lease that runs out, a skip) has
locked its row and finds the mark there, so that no piece slips out in between.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Case, F, Min, QuerySet, Value, When
from django.utils import timezone

from labeling.queue import line
from labeling.queue.mix import reweigh
from labeling.queue.models import Batch, Lane, WorkItem


def pause_batches(batches: Iterable[Batch]) -> None:
    """Give nobody else anything of these. Who holds a piece may finish it, and work that comes late is taken."""
    with transaction.atomic():
        _items_of(_locked(batches)).update(is_paused=True, is_open=False)


def resume_batches(batches: Iterable[Batch]) -> None:
    """Put back what still wants labels: at the end of the line, mixed with other batches by their weights."""
    with transaction.atomic():
        locked = _locked(batches)
        wanted = When(taken__lt=F("need"), held_at=None, then=Value(True))
        _items_of(locked).filter(is_paused=True).update(is_paused=False, is_open=Case(wanted, default=Value(False)))
        for batch in locked:
            reweigh(batch)
            _let_nobody_stand_behind(batch)


def end_batches(batches: Iterable[Batch]) -> None:
    """Nothing more is wanted of these, for good. What nobody has begun is withdrawn; the rest wants what is there and
    what is being worked on, so that who holds a piece may still finish it."""
    with transaction.atomic():
        items = _items_of(_locked(batches))
        items.update(is_paused=True, is_open=False)
        items.filter(taken=0).update(withdrawn_at=timezone.now())
        items.filter(taken__gte=1, need__gt=F("taken")).update(need=F("taken"))


def _locked(batches: Iterable[Batch]) -> list[Batch]:
    """The batches and their items, locked: against who changes a batch, and then against all who move its items."""
    wanted = Batch.objects.filter(pk__in=[batch.pk for batch in batches])
    locked = list(wanted.order_by("pk").select_for_update(no_key=True))
    list(_items_of(locked).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return locked


def _items_of(batches: list[Batch]) -> QuerySet[WorkItem]:
    return WorkItem.objects.filter(batch__in=batches, withdrawn_at=None)


def _let_nobody_stand_behind(batch: Batch) -> None:
    """Somebody may be served a later place of another batch before these places are committed."""
    lane = Lane.of(batch.kind, batch.cohort)
    still_open = WorkItem.objects.filter(batch=batch, is_open=True)
    for priority, first in still_open.values_list("priority").annotate(first=Min("pos")):
        line.lower_cursors(lane, priority, first - 1)
