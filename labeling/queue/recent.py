"""A labeler's last pieces. Only reads."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from labeling.models import Assignment, Control, Kind, Labeler, Proposal
from labeling.queue import skips

SHOWN = 20
STATE = Assignment.State
DONE_WORDS = {Kind.DEMONSTRATE: "Written", Kind.RANK: "Ranked", Kind.PROPOSE: "Prompt written"}


@dataclass(frozen=True)
class Piece:
    """One piece as it stands for its labeler."""

    assignment: Assignment
    kind: Kind
    what: str
    beginning: str
    when: datetime
    can_correct: bool = False
    can_take_back: bool = False
    outcome: str = ""  # of a piece that is sent in and final: what became of it

    @property
    def is_done(self) -> bool:
        return self.assignment.state == STATE.DONE

    @property
    def has_lesson(self) -> bool:
        return self.is_done and self.assignment.item.control == Control.TEACHING

    @property
    def is_late(self) -> bool:
        draft = getattr(self.assignment, "draft", None)
        return draft is not None and draft.came_late_at is not None


def last_pieces(labeler: Labeler) -> list[Piece]:
    """What this labeler did, passed on or sent in too late, newest first."""
    mine = Assignment.objects.filter(labeler=labeler).select_related(
        "item__prompt", "item__batch", "draft", "demonstration", "ranking", "proposal"
    )
    expired = mine.filter(state=STATE.EXPIRED)
    found = [
        *_newest(mine.filter(state=STATE.DONE)),
        *_newest(mine.filter(state=STATE.SKIPPED)),
        *_newest(expired.filter(skip_reason=skips.NOT_NOW) | expired.filter(draft__came_late_at__isnull=False)),
    ]
    found.sort(key=_when, reverse=True)
    return [_piece(assignment) for assignment in found[:SHOWN]]


def _newest(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    return assignments.order_by("-ended_at")[:SHOWN]


def _piece(assignment: Assignment) -> Piece:
    item, kind = assignment.item, Kind(assignment.item.batch.kind)
    done = assignment.state == STATE.DONE
    return Piece(
        assignment,
        kind,
        what=DONE_WORDS[kind] if done else _passed_on(assignment),
        beginning=_beginning(assignment, kind),
        when=_when(assignment),
        can_correct=done and _is_correctable(assignment, kind),
        can_take_back=not done and item.withdrawn_at is None and (item.is_open or item.held_because in skips.HOLDS),
        outcome=_outcome(assignment) if done else "",
    )


def _beginning(assignment: Assignment, kind: Kind) -> str:
    item, proposal = assignment.item, getattr(assignment, "proposal", None)
    if proposal:
        return str(proposal.text)
    return item.prompt.text if item.prompt else (item.brief or {}).get("text") or kind.label


def _outcome(assignment: Assignment) -> str:
    proposal = getattr(assignment, "proposal", None)
    if proposal is None:
        return "In a dataset"
    return "Became a prompt" if proposal.state == Proposal.State.TAKEN else f"Not used: {proposal.note}"


def _when(assignment: Assignment) -> datetime:
    return assignment.ended_at or assignment.leased_at


def _passed_on(assignment: Assignment) -> str:
    draft = getattr(assignment, "draft", None)
    if draft and draft.came_late_at:
        return "Came too late; kept with thanks"
    if assignment.skip_reason == skips.NOT_NOW:
        return "Put aside"
    reason = assignment.skip_reason and f": {skips.label_of(assignment.skip_reason).lower()}"
    return f"Skipped{reason}"


def _is_correctable(assignment: Assignment, kind: Kind) -> bool:
    if kind == Kind.PROPOSE:
        proposal = getattr(assignment, "proposal", None)
        return proposal is not None and proposal.state == Proposal.State.WAITING
    if assignment.item.control == Control.TEACHING:
        return False
    label = getattr(assignment, "ranking" if kind == Kind.RANK else "demonstration", None)
    return label is not None and label.frozen_at is None
