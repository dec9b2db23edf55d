"""A labeler's own answer, sent in."""

from uuid import UUID

from django.db import transaction

from labeling.demonstrations.models import Demonstration
from labeling.labelers.models import Labeler
from labeling.queue import dispatch
from labeling.queue.models import Kind
from labeling.texts import clean


def submit(labeler: Labeler, assignment_id: UUID, text: str) -> Demonstration:
    """Store the answer and end the lease, both or neither.

    Raises BadInput for a text that cannot be one, NotFound and Conflict as `dispatch.finish` does.
    """
    with transaction.atomic():
        assignment = dispatch.finish(labeler, assignment_id, Kind.DEMONSTRATE)
        return Demonstration.objects.create(
            prompt=assignment.item.the_prompt,
            assignment=assignment,
            labeler=labeler,
            guideline_id=assignment.item.batch.guideline_id,
            rubric_id=assignment.item.batch.rubric_id,
            text=clean(text, "Your answer"),
        )
