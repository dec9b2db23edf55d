"""A prompt that a labeler wrote, sent in or corrected."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.models import Labeler
from labeling.prompts.models import UseCase
from labeling.proposals.models import Proposal, Shape
from labeling.proposals.render import Pair, as_texts
from labeling.queue import dispatch, drafts
from labeling.queue.models import Kind
from labeling.texts import MAX_CHARACTERS, clean

MIN_PAIRS, MAX_PAIRS = 2, 8


def submit(
    labeler: Labeler, assignment_id: UUID, text: str, *, use_case: str = "", pairs: Sequence[Pair] = ()
) -> Proposal:
    """Store the prompt and end the lease, both or neither. The brief says its shape, and its use case if it has one.

    Raises BadInput for a text that cannot be a prompt, a use case that does not exist or is not said, and for
    few-shot unless there are 2 to 8 whole pairs with different queries; NotFound and Conflict as `dispatch.finish`.
    """
    with transaction.atomic():
        assignment = dispatch.finish(labeler, assignment_id, Kind.PROPOSE)
        brief = assignment.item.brief or {}
        return Proposal.objects.create(
            assignment=assignment,
            labeler=labeler,
            guideline_id=assignment.item.batch.guideline_id,
            shape=brief["shape"],
            **_checked(text, use_case, pairs, brief),
        )


def correct(
    labeler: Labeler, assignment_id: UUID, text: str, *, use_case: str = "", pairs: Sequence[Pair] = ()
) -> Proposal:
    """Put other words in the place of those that were sent in; what it said before is kept in `earlier`.

    Raises NotFound for a proposal that is not this labeler's, Conflict once a researcher has decided or the labeler
    has left, BadInput as `submit` does.
    """
    with transaction.atomic():
        # A correction and a decision take turns, so that what was looked at is what is taken.
        proposal = (
            Proposal.objects.select_for_update(of=("self",))
            .select_related("assignment__item")
            .filter(assignment_id=assignment_id, labeler=labeler)
            .first()
        )
        if proposal is None:
            raise NotFound(dispatch.UNKNOWN)
        if closed := why_final(proposal):
            raise closed
        if labeler.state == Labeler.State.LEFT:
            raise Conflict(dispatch.why_not(labeler))
        changes = _checked(text, use_case, pairs, proposal.assignment.item.brief or {})
        before = {name: getattr(proposal, name) for name in changes}
        if changes != before:
            now = timezone.now()
            proposal.earlier = [*proposal.earlier, {"until": now.isoformat(), **before}]
            proposal.corrected_at = now
            for name, value in changes.items():
                setattr(proposal, name, value)
            proposal.save(update_fields=["earlier", "corrected_at", *changes])
        drafts.spend(assignment_id)
    return proposal


def why_final(proposal: Proposal) -> Conflict | None:
    """What became of it, for its labeler; None while nobody has decided."""
    if proposal.decided_at is None:
        return None
    day = f"{proposal.decided_at:%d %B %Y}"
    if proposal.state == Proposal.State.TAKEN:
        return Conflict(f"This became a prompt on {day}, so it stays as it is. Thank you!")
    return Conflict(f"A researcher decided on {day} not to use it: {proposal.note}")


def _checked(text: str, use_case: str, pairs: Sequence[Pair], brief: dict[str, str]) -> dict[str, Any]:
    use_case = brief["use_case"] or use_case
    if not use_case:
        raise BadInput("Please say what kind of task it is: choose a use case.")
    if use_case not in UseCase.values:
        raise BadInput(f"There is no use case “{use_case[:30]}”; choose one of those on the page.")
    is_few_shot = brief["shape"] == Shape.FEW_SHOT
    text = clean(text, "Your instruction" if is_few_shot else "Your prompt")
    whole = _whole(pairs) if is_few_shot else []
    longest = max(len(words) for words in as_texts(text, whole))
    if longest > MAX_CHARACTERS:
        raise BadInput(f"With its pairs it has {longest:,} characters; at most {MAX_CHARACTERS:,} are taken.")
    return {"text": text, "use_case": use_case, "pairs": whole}


def _whole(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs without those that were left blank."""
    filled = [pair for pair in pairs if pair["query"].strip() or pair["response"].strip()]
    if not MIN_PAIRS <= len(filled) <= MAX_PAIRS:
        raise BadInput(f"{MIN_PAIRS} to {MAX_PAIRS} pairs of a query and a response are taken, not {len(filled)}.")
    clear: list[Pair] = []
    for number, pair in enumerate(filled, start=1):
        query = clean(pair["query"], f"The query of pair {number}")
        response = clean(pair["response"], f"The response of pair {number}")
        if query in (other["query"] for other in clear):
            raise BadInput(f"Pair {number} asks the same as another pair.")
        clear.append({"query": query, "response": response})
    return clear
