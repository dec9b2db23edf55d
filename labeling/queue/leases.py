"""One labeler's leases: locked before anything is done to them, put down, and what is said of one that has ended.
Behind dispatch.py."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from config.postgres.compiled import Compiled
from labeling.errors import NotFound
from labeling.labelers.models import Labeler
from labeling.queue import line, skips
from labeling.queue.models import Assignment, WorkItem

UNKNOWN = "There is no such piece of work among yours."

# The item's row first, everywhere: two writers that lock in the same order cannot block each other.
_to_lock = Compiled(
    lambda assignment_id, labeler_id: (
        Assignment.objects.select_for_update(of=("item", "self"))
        .select_related("item__batch__rubric")
        .filter(pk=assignment_id, labeler_id=labeler_id)
    ),
    *(UUID(int=1), 2),
)


def locked(labeler: Labeler, assignment_id: UUID) -> Assignment:
    assignment = _to_lock.first(assignment_id, labeler.pk)
    if assignment is None:
        raise NotFound(UNKNOWN)
    return assignment


def lock_items(labeler: Labeler, assignment_id: UUID) -> None:
    """Of this piece and of all that the labeler holds, in the order that whoever locks several items keeps to."""
    of_them = Q(pk=assignment_id) | Q(state=Assignment.State.LEASED)
    wanted = Assignment.objects.filter(of_them, labeler=labeler).values("item_id")
    list(WorkItem.objects.filter(pk__in=wanted).order_by("pk").select_for_update().values_list("pk"))


def ended(assignment: Assignment, item: WorkItem | None = None) -> str:
    item = item or assignment.item
    if assignment.state == Assignment.State.DONE:
        return "You have sent this in before. The first version was kept."
    if item.withdrawn_at:
        return "A researcher has withdrawn this piece of work, so nothing more is wanted for it."
    if item.held_at:
        return "This piece of work waits for a researcher's look, so nobody can do it now."
    if item.is_paused and item.taken < item.need:
        return "This work is paused for now, so nobody is given it. It comes back when the researchers go on."
    if assignment.state == Assignment.State.SKIPPED:
        return "You skipped this piece of work, and it went to somebody else."
    return "Your time for this piece of work ran out, and meanwhile somebody else has taken it over."


def put_down(labeler: Labeler) -> int:
    """All that this labeler holds goes back to the line, with its drafts kept; how many pieces it was.

    They may take a piece up again, or still send it in, where nobody else has done it meanwhile.
    """
    with transaction.atomic():
        return _end(Assignment.objects.filter(labeler=labeler))


def put_aside(labeler: Labeler, lane: int) -> None:
    _end(Assignment.objects.filter(labeler=labeler, lane=lane), skips.NOT_NOW)


def _end(assignments: QuerySet[Assignment], reason: str = "") -> int:
    leases = assignments.filter(state=Assignment.State.LEASED).select_for_update(of=("item", "self"))
    held = list(leases.select_related("item").order_by("item"))
    for lease in held:
        line.give_back(lease.item_id)
        lease.state, lease.ended_at, lease.skip_reason = Assignment.State.EXPIRED, timezone.now(), reason
        lease.save(update_fields=["state", "ended_at", "skip_reason"])
    return len(held)
