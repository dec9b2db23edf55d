"""A labeler's own answer, sent in or corrected."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling.demonstrations.language import recognize
from labeling.demonstrations.models import Demonstration
from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.models import Labeler
from labeling.prompts.models import UseCase
from labeling.queue import dispatch, drafts
from labeling.queue.models import Kind
from labeling.rubrics.models import Rubric
from labeling.texts import clean


def submit(
    labeler: Labeler, assignment_id: UUID, text: str, *, use_case: str = "", traits: Sequence[str] = ()
) -> Demonstration:
    """Store the answer and end the lease, both or neither.

    `use_case` and `traits` (keys of the rubric's) are what the labeler says of the prompt. Raises BadInput for a text
    that cannot be an answer and for a use case or a trait that is not asked for, NotFound and Conflict as
    `dispatch.finish` does.
    """
    language = recognize(text)  # before the rows are locked
    with transaction.atomic():
        assignment = dispatch.finish(labeler, assignment_id, Kind.DEMONSTRATE)
        batch = assignment.item.batch
        return Demonstration.objects.create(
            prompt=assignment.item.the_prompt,
            assignment=assignment,
            labeler=labeler,
            guideline_id=batch.guideline_id,
            rubric_id=batch.rubric_id,
            language=language,
            **_checked(text, use_case, traits, batch.rubric),
        )


def correct(
    labeler: Labeler, assignment_id: UUID, text: str, *, use_case: str = "", traits: Sequence[str] = ()
) -> Demonstration:
    """Put other words in the place of those that were sent in; what it said before is kept in `earlier`.

    Raises NotFound for a demonstration that is not this labeler's, Conflict once it is part of a dataset or the
    labeler has left, BadInput as `submit` does.
    """
    language = recognize(text)
    with transaction.atomic():
        # The lock waits for a freeze that is just reading this row; afterwards `frozen_at` tells.
        demonstration = (
            Demonstration.objects.select_for_update(of=("self",))
            .select_related("rubric")
            .filter(assignment_id=assignment_id, labeler=labeler)
            .first()
        )
        if demonstration is None:
            raise NotFound(dispatch.UNKNOWN)
        if closed := why_final(demonstration):
            raise closed
        if labeler.state == Labeler.State.LEFT:
            raise Conflict(dispatch.why_not(labeler))
        changes = {**_checked(text, use_case, traits, demonstration.rubric), "language": language}
        before = {name: getattr(demonstration, name) for name in changes}
        if changes != before:
            now = timezone.now()
            demonstration.earlier = [*demonstration.earlier, {"until": now.isoformat(), **before}]
            demonstration.corrected_at = now
            for name, value in changes.items():
                setattr(demonstration, name, value)
            demonstration.save(update_fields=["earlier", "corrected_at", *changes])
        drafts.spend(assignment_id)
    return demonstration


def why_final(demonstration: Demonstration) -> Conflict | None:
    """Why it can no longer be corrected; None where it can."""
    if demonstration.frozen_at is None:
        return None
    day = f"{demonstration.frozen_at:%d %B %Y}"
    return Conflict(f"What you wrote became part of a dataset on {day} and stays as it is.")


def _checked(text: str, use_case: str, traits: Sequence[str], rubric: Rubric) -> dict[str, Any]:
    if use_case and use_case not in UseCase.values:
        raise BadInput(f"There is no use case “{use_case[:30]}”; choose one of those on the page.")
    asked = [trait["key"] for trait in rubric.traits]
    if unknown := set(traits) - set(asked):
        raise BadInput(f"Nothing called “{min(unknown)[:50]}” is asked about the prompt here.")
    return {
        "text": clean(text, "Your answer"),
        "use_case": use_case,
        "traits": [key for key in asked if key in traits],
    }
