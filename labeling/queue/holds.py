"""Items that are taken out of the line by a researcher or for one, and put back. Called through dispatch.py alone."""

from itertools import groupby

from django.db import transaction
from django.utils import timezone

from labeling.errors import Conflict
from labeling.queue import line
from labeling.queue.models import OWN, Assignment, Batch, Lane, WorkItem


def hold(item: WorkItem, because: str) -> None:
    """Give this item to nobody else until a researcher has looked. Who has it now may finish it."""
    with transaction.atomic():
        item = _locked(item)
        if item.held_at is None and item.withdrawn_at is None:
            item.is_open, item.held_at, item.held_because = False, timezone.now(), because[:200]
            item.save(update_fields=["is_open", "held_at", "held_because"])


def release(item: WorkItem) -> None:
    """Put an item that was held back at the end of its class, if it still wants labels.

    Raises Conflict where it is not held.
    """
    with transaction.atomic():
        item = _locked(item)
        if item.held_at is None or item.withdrawn_at:
            raise Conflict("This piece is not held any more: somebody has released or withdrawn it.")
        item.held_at, item.held_because = None, ""
        item.is_open = item.taken < item.need and not item.is_paused
        (item.pos,) = line.new_places(1)
        item.save(update_fields=["held_at", "held_because", "is_open", "pos"])
        # Somebody may have been served a later place before this one is committed.
        line.lower_cursors(Lane(item.lane), item.priority, item.pos - 1)


def withdraw(item: WorkItem) -> None:
    """Nobody is given this item any more, and leases on it end. What was already done stays."""
    with transaction.atomic():
        now = timezone.now()
        item = _locked(item)
        ended = item.assignments.filter(state=Assignment.State.LEASED).update(
            state=Assignment.State.EXPIRED, ended_at=now
        )
        item.taken -= ended
        item.is_open = False
        item.withdrawn_at = item.withdrawn_at or now
        item.save(update_fields=["taken", "is_open", "withdrawn_at"])


def want(batch: Batch, need: int) -> int:
    """Want `need` labels of each of the batch's own items that wants fewer; how many items that changed."""
    with transaction.atomic():
        own = WorkItem.objects.select_for_update().filter(batch=batch, control__in=OWN, withdrawn_at=None)
        items = list(own.filter(need__lt=need).order_by("priority", "pos"))
        for item in items:
            item.need = need
        return _reopen(items)


def _reopen(items: list[WorkItem]) -> int:
    """These (locked) items at the end of their classes, open where they want labels and are not held or paused."""
    for item, pos in zip(items, line.new_places(len(items)), strict=True):
        wants = item.taken < item.need and item.held_at is None and not item.is_paused
        item.is_open, item.pos = wants, pos
    WorkItem.objects.bulk_update(items, ["need", "is_open", "pos"], batch_size=1000)
    # Somebody may have been served a later place before these are committed.
    for priority, same in groupby(items, key=lambda item: item.priority):
        first = next(same)
        line.lower_cursors(Lane(first.lane), priority, first.pos - 1)
    return len(items)


def _locked(item: WorkItem) -> WorkItem:
    return WorkItem.objects.select_for_update().get(pk=item.pk)
