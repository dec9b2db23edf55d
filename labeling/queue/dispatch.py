"""The door to the queue and its only writer (`line.py`, `fill.py`, `leases.py` and `holds.py` stand behind it).

Rules that hold at every door, page, API or simulation alike:
- An item goes to at most `need` labelers, and never twice to one; a labeler holds one lease per lane.
- A lane is one kind of work for one cohort: a held-out labeler never gets training work, nor the other way round.
- A lease is renewed while somebody works. One that ran out goes back to the line; work that comes late is taken
  as long as the item still wants labels.
- A batch may be paused (`pauses.py`): nobody new is given its items, and who holds one may finish it.
- What a skip does is its reason's (`skips.py`). An item that is held is given to nobody until a researcher has looked.
- Which items a labeler may get is `rules.py`; two open batches share the labelers by their weights (`weights.py`).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotAllowed, NotFound
from labeling.labelers.models import Labeler
from labeling.prompts.models import Topic
from labeling.queue import leases, ledger, line, skips, steps
from labeling.queue.fill import (
    Brief,
    add_demonstration_items,
    add_proposal_items,
    add_ranking_items,
    open_batch,
)
from labeling.queue.holds import hold, release, want, withdraw
from labeling.queue.leases import UNKNOWN, put_down
from labeling.queue.mix import Copy, add_copies, change_settings, close_checks
from labeling.queue.models import OWN, Assignment, Cursor, Kind, Lane, WorkItem
from labeling.queue.pauses import end_batches, pause_batches, resume_batches

__all__ = [
    "COUNT_CAP",
    "UNKNOWN",
    "Brief",
    "Copy",
    "add_copies",
    "add_demonstration_items",
    "add_proposal_items",
    "add_ranking_items",
    "ask_one_more",
    "change_settings",
    "choose_topics",
    "claim",
    "close_checks",
    "counts",
    "end_batches",
    "finish",
    "hold",
    "keep_alive",
    "may_get",
    "open_batch",
    "pause_batches",
    "put_down",
    "release",
    "renew",
    "resume_batches",
    "retopic",
    "skip",
    "sweep",
    "take_back",
    "want",
    "why_not",
    "withdraw",
]

COUNT_CAP = 1000
MOVED = "This work is no longer yours to do: you have been moved to another group of labelers."
TABS = "Several windows of yours asked for work at the same time; please try again."


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
            return _claim_once(labeler, lane, just_ended=just_ended and attempt == 0)
        except IntegrityError:  # another tab of this labeler's was faster: resume what it was given
            continue
    raise Conflict(TABS)


def _claim_once(labeler: Labeler, lane: Lane, *, just_ended: bool) -> Assignment | None:
    # Each step is one statement and stands alone. Inside a transaction a savepoint lets the retry go on.
    if transaction.get_connection().in_atomic_block:
        with transaction.atomic():
            return steps.lease(labeler, lane, just_ended=just_ended)
    return steps.lease(labeler, lane, just_ended=just_ended)


def renew(labeler: Labeler, assignment_id: UUID) -> Assignment:
    """The lease, lengthened. Raises NotFound, or Conflict where it has ended."""
    with transaction.atomic():
        assignment = leases.locked(labeler, assignment_id)
        if assignment.state != Assignment.State.LEASED:
            raise Conflict(leases.ended(assignment))
        assignment.expires_at = timezone.now() + line.lease_length()
        assignment.save(update_fields=["expires_at"])
    return assignment


def keep_alive(assignment: Assignment) -> None:
    """Lengthen the lease, if it is one, and has less than half of its time left."""
    now = timezone.now()
    if assignment.state == Assignment.State.LEASED and assignment.expires_at - now < line.lease_length() / 2:
        still_leased = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED)
        still_leased.update(expires_at=now + line.lease_length())


def skip(labeler: Labeler, assignment_id: UUID, reason: str = "") -> Assignment:
    """Give the item back to the line at once, and do what the reason does (skips.py).

    Raises NotFound, BadInput for a reason that does not exist, Conflict for work that was sent in.
    """
    why = skips.reason_for(reason)
    with transaction.atomic():
        assignment = leases.locked(labeler, assignment_id)
        if assignment.state == Assignment.State.DONE:
            raise Conflict(leases.ended(assignment))
        if assignment.state == Assignment.State.LEASED:
            line.give_back(assignment.item_id)
        assignment.state = Assignment.State.EXPIRED if why.comes_back else Assignment.State.SKIPPED
        assignment.ended_at = timezone.now()
        assignment.skip_reason = why.key
        assignment.save(update_fields=["state", "ended_at", "skip_reason"])
        if why.hold_after and (because := skips.why_hold(_said_of(assignment.item))):
            hold(assignment.item, because)
    return assignment


def take_back(labeler: Labeler, assignment_id: UUID) -> Assignment:
    """Undo a skip: the piece is this labeler's again, with its draft.

    What they hold meanwhile in the same lane is put aside as by 'not now'. Raises NotFound, NotAllowed for a labeler
    who is not active, Conflict where the item is not open any more.
    """
    if reason := why_not(labeler):
        raise NotAllowed(reason)
    for _ in range(5):
        try:
            with transaction.atomic():
                leases.lock_items(labeler, assignment_id)
                return _take_back(labeler, leases.locked(labeler, assignment_id))
        except IntegrityError:  # another tab of this labeler's has just been given a lease: put that one aside
            continue
    raise Conflict(TABS)


def _take_back(labeler: Labeler, assignment: Assignment) -> Assignment:
    if assignment.state == Assignment.State.LEASED:
        return assignment
    item = assignment.item
    if item.batch.cohort != labeler.cohort:
        raise Conflict(MOVED)
    if item.held_because in skips.HOLDS and not skips.why_hold(_said_of(item, but=labeler)):
        release(item)  # it was this labeler's word that held it
        item.refresh_from_db()
    if assignment.state == Assignment.State.DONE or not item.is_open:
        raise Conflict(leases.ended(assignment, item))
    leases.put_aside(labeler, assignment.lane)
    line.take(item.pk)
    assignment.state = Assignment.State.LEASED
    assignment.leased_at = timezone.now()
    assignment.expires_at = assignment.leased_at + line.lease_length()
    assignment.ended_at, assignment.skip_reason = None, ""
    assignment.save(update_fields=["state", "leased_at", "expires_at", "ended_at", "skip_reason"])
    return assignment


def _said_of(item: WorkItem, but: Labeler | None = None) -> list[str]:
    """The reasons of all who passed this item on, without one labeler's where one is named."""
    skipped = item.assignments.filter(state=Assignment.State.SKIPPED)
    return list(skipped.exclude(labeler=but).values_list("skip_reason", flat=True))


def finish(labeler: Labeler, assignment_id: UUID, kind: str | None = None) -> Assignment:
    """Count this lease's work as done, inside the caller's transaction, which stores the work itself.

    The assignment comes with its item and batch. Raises NotFound for one that is unknown, somebody else's or
    of another kind; Conflict where it was sent in before, skipped, withdrawn, or ran out and others have taken the
    item meanwhile.
    """
    assignment = leases.locked(labeler, assignment_id)
    item = assignment.item
    if kind is not None and item.batch.kind != kind:
        raise NotFound(UNKNOWN)
    if item.batch.cohort != labeler.cohort or labeler.state == Labeler.State.LEFT:
        raise Conflict(MOVED)
    late = assignment.state == Assignment.State.EXPIRED
    if assignment.state != Assignment.State.LEASED and not (late and item.takes_late_work):
        raise Conflict(leases.ended(assignment))
    assignment.ended_at = line.finish(assignment, late=late)
    assignment.state = Assignment.State.DONE
    if not labeler.is_simulated:
        # After the commit: the ledger's lock must not be asked for while the lease's is held.
        transaction.on_commit(partial(ledger.sign, labeler.pk, assignment.pk), robust=True)
    return assignment


def ask_one_more(item: WorkItem) -> bool:
    """Want one label more of an item on which labelers disagree; False where that cannot be or is enough.

    Inside the transaction that has finished a lease on it, which holds the item's lock.
    """
    return item.control in OWN and line.ask_one_more(item.pk)


def sweep(limit: int = 200) -> int:
    """End leases that ran out and put their items first in the line; how many leases it were."""
    return line.sweep(limit)


def counts(labeler: Labeler) -> dict[str, int]:
    """How many items of each kind are open for this labeler; COUNT_CAP means that many or more."""
    if why_not(labeler):
        return dict.fromkeys(Kind.values, 0)
    return {kind: line.count_open(labeler, Lane.of(kind, labeler.cohort), COUNT_CAP) for kind in Kind.values}


def choose_topics(labeler: Labeler, slugs: Sequence[str]) -> None:
    """From now on this labeler is given nothing that touches these topics. Raises BadInput for an unknown one."""
    wanted = sorted(set(slugs))
    known = set(Topic.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if unknown := [slug for slug in wanted if slug not in known]:
        raise BadInput(f"There is no topic “{unknown[0]}”; nothing was changed.")
    with transaction.atomic():
        labeler.unwanted_topics = wanted
        labeler.save(update_fields=["unwanted_topics"])
        Cursor.objects.filter(labeler=labeler).delete()  # what was passed by may be wanted again


def retopic(prompt_ids: Iterable[UUID]) -> int:
    """The items of these prompts touch from now on what the prompts touch; how many items that changed."""
    with transaction.atomic():
        return line.retopic(list(prompt_ids))
