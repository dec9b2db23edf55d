"""The door to the queue and its only writer (`line.py` and `fill.py` stand behind it).

Rules that hold at every door, page, API or simulation alike:
- An item goes to at most `need` labelers, and never twice to one; a labeler holds one lease per lane.
- A lane is one kind of work for one cohort: a held-out labeler never gets training work, nor the other way round.
- A lease is renewed while somebody works. One that ran out goes back to the line; work that comes late is taken
  as long as the item still wants labels.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from labeling.errors import Conflict, NotAllowed, NotFound
from labeling.labelers.models import Labeler
from labeling.prompts.models import Prompt
from labeling.queue import line
from labeling.queue.fill import add_demonstration_items, add_ranking_items, open_batch
from labeling.queue.models import Assignment, Kind, Lane, WorkItem

__all__ = [
    "COUNT_CAP",
    "add_demonstration_items",
    "add_ranking_items",
    "choose_topics",
    "claim",
    "counts",
    "finish",
    "may_get",
    "open_batch",
    "renew",
    "retopic",
    "skip",
    "sweep",
    "why_not",
    "withdraw",
]

COUNT_CAP = 1000
UNKNOWN = "There is no such piece of work among yours."


def why_not(labeler: Labeler) -> str:
    """Why this labeler is given no work, as a sentence; empty where there is no reason."""
    match labeler.state:
        case Labeler.State.ACTIVE if labeler.must_read:
            return "The guidelines are new to you or have changed. Please read and confirm them on your start page."
        case Labeler.State.ACTIVE:
            return ""
        case Labeler.State.PAUSED:
            return "Your work is paused. Please write to the researchers if you do not know why."
        case Labeler.State.LEFT:
            return "You have left the project, so there is no work for you here."
        case _:
            return "You are not ready for work yet: your screening is not finished."


def may_get(labeler: Labeler, kind: str) -> bool:
    """Whether this labeler may be given work of this kind at all."""
    return kind in Kind.values and not why_not(labeler)


def claim(labeler: Labeler, kind: str, *, just_ended: bool = False) -> Assignment | None:
    """The lease that this labeler holds on work of this kind, or a new one; None where nothing is open for them.

    `just_ended` saves the look for a lease to resume, where the caller has this moment ended the only one there was.
    Raises NotAllowed for a labeler who is not active.
    """
    if reason := why_not(labeler):
        raise NotAllowed(reason)
    lane = Lane.of(kind, labeler.cohort)
    for attempt in range(5):
        try:
            return _claim_once(labeler.pk, lane, look_for_lease=attempt > 0 or not just_ended)
        except IntegrityError:  # another tab of this labeler's was faster: resume what it was given
            continue
    raise Conflict("Several windows of yours asked for work at the same time; please try again.")


def _claim_once(labeler_id: int, lane: Lane, *, look_for_lease: bool) -> Assignment | None:
    # Each step is one statement and stands alone. Inside a transaction a savepoint lets the retry go on.
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            return _next(labeler_id, lane, look_for_lease)
    return _next(labeler_id, lane, look_for_lease)


def _next(labeler_id: int, lane: Lane, look_for_lease: bool) -> Assignment | None:
    return (
        (look_for_lease and line.resume(labeler_id, lane))
        or line.claim(labeler_id, lane)
        or (line.may_rescan(labeler_id, lane) and line.claim(labeler_id, lane, from_start=True))
        or line.take_up_again(labeler_id, lane)
        or (None if look_for_lease else line.resume(labeler_id, lane))
    )


def renew(labeler: Labeler, assignment_id: UUID) -> Assignment:
    """The lease, lengthened. Raises NotFound, or Conflict where it has ended."""
    with transaction.atomic():
        assignment = _locked(labeler, assignment_id)
        if assignment.state != Assignment.State.LEASED:
            raise Conflict(_ended(assignment))
        assignment.expires_at = timezone.now() + line.lease_length()
        assignment.save(update_fields=["expires_at"])
    return assignment


def skip(labeler: Labeler, assignment_id: UUID, reason: str = "") -> Assignment:
    """Give the item to somebody else at once; this labeler never gets it again. Raises NotFound or Conflict."""
    with transaction.atomic():
        assignment = _locked(labeler, assignment_id)
        if assignment.state == Assignment.State.DONE:
            raise Conflict(_ended(assignment))
        if assignment.state == Assignment.State.LEASED:
            line.give_back(assignment.item_id)
        assignment.state = Assignment.State.SKIPPED
        assignment.ended_at = timezone.now()
        assignment.skip_reason = reason.strip()[:30]
        assignment.save(update_fields=["state", "ended_at", "skip_reason"])
    return assignment


def finish(labeler: Labeler, assignment_id: UUID, kind: str | None = None) -> Assignment:
    """Count this lease's work as done, inside the caller's transaction, which stores the work itself.

    The assignment comes with its item and batch. Raises NotFound for one that is unknown, somebody else's or
    of another kind; Conflict where it was sent in before, skipped, withdrawn, or ran out and others have taken the
    item meanwhile.
    """
    assignment = _locked(labeler, assignment_id)
    item = assignment.item
    if kind is not None and item.batch.kind != kind:
        raise NotFound(UNKNOWN)
    if item.batch.cohort != labeler.cohort or labeler.state == Labeler.State.LEFT:
        raise Conflict("This work is no longer yours to do: you have been moved to another group of labelers.")
    late = assignment.state == Assignment.State.EXPIRED
    if assignment.state != Assignment.State.LEASED and not (late and item.is_open):
        raise Conflict(_ended(assignment))
    assignment.ended_at = line.finish(assignment, late=late)
    assignment.state = Assignment.State.DONE
    return assignment


def sweep(limit: int = 200) -> int:
    """End leases that ran out and put their items first in the line; how many leases it were."""
    return line.sweep(limit)


def withdraw(item: WorkItem) -> None:
    """Nobody is given this item any more, and leases on it end. What was already done stays."""
    with transaction.atomic():
        now = timezone.now()
        item = WorkItem.objects.select_for_update().get(pk=item.pk)
        leases = item.assignments.filter(state=Assignment.State.LEASED)
        ended = leases.update(state=Assignment.State.EXPIRED, ended_at=now)
        item.taken -= ended
        item.is_open = False
        item.withdrawn_at = item.withdrawn_at or now
        item.save(update_fields=["taken", "is_open", "withdrawn_at"])


def counts(labeler: Labeler) -> dict[str, int]:
    """How many items of each kind are open for this labeler; COUNT_CAP means that many or more."""
    if why_not(labeler):
        return dict.fromkeys(Kind.values, 0)
    return {kind: line.count_open(labeler.pk, Lane.of(kind, labeler.cohort), COUNT_CAP) for kind in Kind.values}


def choose_topics(labeler: Labeler, slugs: Sequence[str]) -> None:
    """Pieces that touch these topics are passed by for this labeler from now on."""
    labeler.unwanted_topics = sorted(set(slugs))
    labeler.save(update_fields=["unwanted_topics"])


def retopic(prompt_ids: Iterable[UUID]) -> None:
    """The items of these prompts touch what the prompts touch now."""
    topics = Prompt.objects.filter(pk=OuterRef("prompt")).values("topics")
    WorkItem.objects.filter(prompt__in=list(prompt_ids)).update(topics=Subquery(topics))


def _locked(labeler: Labeler, assignment_id: UUID) -> Assignment:
    # The item's row first, everywhere: two writers that lock in the same order cannot block each other.
    assignments = Assignment.objects.select_for_update(of=("item", "self")).select_related("item__batch")
    try:
        return assignments.get(pk=assignment_id, labeler=labeler)
    except Assignment.DoesNotExist:
        raise NotFound(UNKNOWN) from None


def _ended(assignment: Assignment) -> str:
    if assignment.state == Assignment.State.DONE:
        return "You have sent this in before. The first version was kept."
    if assignment.item.withdrawn_at:
        return "A researcher has withdrawn this piece of work, so nothing more is wanted for it."
    if assignment.state == Assignment.State.SKIPPED:
        return "You skipped this piece of work, and it went to somebody else."
    return "Your time for this piece of work ran out, and meanwhile somebody else has taken it over."
