"""Putting work into the queue. Called through dispatch.py alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypedDict, TypeVar

from django.db import transaction

from labeling.completions.models import Completion
from labeling.errors import BadInput
from labeling.guidelines.models import Guideline
from labeling.models import Shape
from labeling.prompts.models import Prompt, UseCase
from labeling.queue import line
from labeling.queue.models import Batch, Kind, Lane, WorkItem, WorkItemCompletion
from labeling.rubrics import publish as rubrics
from labeling.texts import clean

CHUNK = 1000
MIN_K, MAX_K = 4, 9  # Ouyang et al. 2022, §3.5

Group = tuple[Prompt, Sequence[Completion]]
T = TypeVar("T")


class Brief(TypedDict):
    """What kind of prompt a labeler is to write, in place of the prompt that other items have."""

    shape: str
    use_case: str  # empty where the labeler chooses
    text: str  # what the researcher asks for; may be empty, but for a user-based prompt is its use case in words


def open_batch(*, name: str, kind: str, purpose: str, cohort: str, guideline: Guideline) -> Batch:
    """A batch for work of one kind, purpose and cohort, under the rubric of the day.

    Raises BadInput where the guideline is for another purpose.
    """
    if guideline.purpose != purpose:
        raise BadInput(f"The guideline “{guideline}” is for {guideline.purpose}, the batch is for {purpose}.")
    return Batch.objects.create(
        name=name, kind=kind, purpose=purpose, cohort=cohort, guideline=guideline, rubric=rubrics.current()
    )


@transaction.atomic
def add_demonstration_items(batch: Batch, prompts: Iterable[Prompt], *, need: int = 1, priority: int = 5) -> int:
    """One item a prompt, at the end of the line; how many were added."""
    _check(batch, Kind.DEMONSTRATE, need, priority)
    return sum(len(_put(batch, chunk, need, priority)) for chunk in _chunks(prompts))


@transaction.atomic
def add_proposal_items(batch: Batch, briefs: Iterable[Brief], *, need: int = 1, priority: int = 5) -> int:
    """One item a brief, for which a labeler writes a prompt; how many were added.

    Raises BadInput for a shape or a use case that does not exist, and for a user-based brief without a text.
    """
    _check(batch, Kind.PROPOSE, need, priority)
    return sum(len(_put(batch, chunk, need, priority)) for chunk in _chunks(map(_checked, briefs)))


@transaction.atomic
def add_ranking_items(batch: Batch, groups: Iterable[Group], *, need: int = 1, priority: int = 5) -> int:
    """One item a prompt with its K completions; how many were added.

    Raises BadInput unless K is 4 to 9 everywhere and the completions answer their prompt. A group whose texts are
    all the same is left out: there is nothing to rank.
    """
    _check(batch, Kind.RANK, need, priority)
    added = 0
    for chunk in _chunks(group for group in groups if _can_be_ranked(*group)):
        items = _put(batch, [prompt for prompt, _ in chunk], need, priority)
        WorkItemCompletion.objects.bulk_create(
            (
                WorkItemCompletion(item=item, completion=completion)
                for item, (_, completions) in zip(items, chunk, strict=True)
                for completion in completions
            ),
            batch_size=5 * CHUNK,
        )
        added += len(items)
    return added


def _check(batch: Batch, kind: Kind, need: int, priority: int) -> None:
    if batch.kind != kind:
        raise BadInput(f"The batch “{batch}” is for another kind of work ({batch.get_kind_display()}).")
    if not 1 <= need <= 100:
        raise BadInput(f"An item can be given to 1 to 100 labelers, not to {need}.")
    if not 0 <= priority <= 9:
        raise BadInput(f"A priority is 0 (first) to 9 (last), not {priority}.")


def _can_be_ranked(prompt: Prompt, completions: Sequence[Completion]) -> bool:
    if not MIN_K <= len(completions) <= MAX_K:
        raise BadInput(f"A ranking needs {MIN_K} to {MAX_K} completions; for “{prompt}” there are {len(completions)}.")
    if any(completion.prompt_id != prompt.pk for completion in completions):
        raise BadInput(f"A completion that is up for ranking under “{prompt}” answers another prompt.")
    return len({completion.text.strip() for completion in completions}) > 1


def _checked(brief: Brief) -> Brief:
    if brief["shape"] not in Shape.values:
        raise BadInput(f"A prompt's shape is one of {', '.join(Shape.values)}, not “{brief['shape']}”.")
    if brief["use_case"] and brief["use_case"] not in UseCase.values:
        raise BadInput(f"There is no use case “{brief['use_case']}”; leave it empty to let the labeler choose.")
    text = brief["text"].strip() and clean(brief["text"], "The brief")
    if brief["shape"] == Shape.USER_BASED and not text:
        raise BadInput("A user-based brief says in words what the use case is.")
    return Brief(shape=brief["shape"], use_case=brief["use_case"], text=text)


def _put(batch: Batch, wanted: Sequence[Prompt | Brief], need: int, priority: int) -> list[WorkItem]:
    lane = Lane.of(batch.kind, batch.cohort)
    places = line.new_places(len(wanted))
    items = WorkItem.objects.bulk_create(
        WorkItem(batch=batch, lane=lane, priority=priority, pos=pos, need=need, **_about(thing))
        for thing, pos in zip(wanted, places, strict=True)
    )
    # These places were drawn before this commit: somebody may have been served a later one meanwhile.
    line.lower_cursors(lane, priority, places[0] - 1)
    return items


def _about(wanted: Prompt | Brief) -> dict[str, Any]:
    if isinstance(wanted, Prompt):
        return {"prompt": wanted, "topics": wanted.topics}
    return {"brief": wanted}


def _chunks(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
