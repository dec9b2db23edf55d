"""Asking labelers for prompts: what is wanted, as briefs in the queue."""

from django.db import transaction

from labeling.errors import BadInput
from labeling.guidelines import publish as guidelines
from labeling.guidelines.models import Purpose
from labeling.labelers.models import Cohort
from labeling.prompts.models import UseCase
from labeling.proposals.models import Shape
from labeling.queue import dispatch
from labeling.queue.models import Batch, Kind
from labeling.texts import clean


def ask(
    *, name: str, cohort: str = Cohort.TRAINING, plain: int = 0, few_shot: int = 0, briefs: str = "", need: int = 1
) -> Batch:
    """A batch that asks for so many plain and few-shot prompts, and for `need` prompts by different labelers to each
    line of `briefs` (user-based). Raises BadInput for a line that names no use case, and where nothing is asked for.
    """
    name, lines = clean(name, "The name"), read_briefs(briefs)
    free = [Shape.PLAIN] * plain + [Shape.FEW_SHOT] * few_shot
    if not free and not lines:
        raise BadInput("Nothing is asked for: say how many, or write a brief.")
    purpose = Purpose.TRAINING
    with transaction.atomic():
        batch = dispatch.open_batch(
            name=name, kind=Kind.PROPOSE, purpose=purpose, cohort=cohort, guideline=guidelines.current(purpose)
        )
        dispatch.add_proposal_items(batch, [dispatch.Brief(shape=shape, use_case="", text="") for shape in free])
        dispatch.add_proposal_items(batch, lines, need=need)
    return batch


def read_briefs(lines: str) -> list[dispatch.Brief]:
    """One brief a line: `brainstorming: An app that helps to plan a garden`. Raises BadInput naming the line."""
    by_name = {word.lower(): value for value, label in UseCase.choices for word in (value, label)}
    briefs = []
    for number, line in enumerate(lines.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        use_case, colon, text = line.partition(":")
        if not colon or use_case.strip().lower() not in by_name or not text.strip():
            raise BadInput(
                f"Line {number} is not a use case, a colon and what somebody wants; the use cases are "
                f"{', '.join(UseCase.values)}."
            )
        briefs.append(
            dispatch.Brief(shape=Shape.USER_BASED, use_case=by_name[use_case.strip().lower()], text=text.strip())
        )
    return briefs
