"""Putting work into the queue. Called through dispatch.py alone."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any, NamedTuple, TypedDict, TypeVar

from django.db import transaction
from django.db.models import Count, Q

from labeling.completions.models import Completion
from labeling.errors import BadInput
from labeling.guidelines.models import Guideline, Purpose
from labeling.models import Shape
from labeling.prompts.models import Prompt, UseCase
from labeling.queue import line, weights
from labeling.queue.models import OWN, Batch, Control, Kind, Lane, WorkItem, WorkItemCompletion
from labeling.queue.settings import PLAIN, Settings, share
from labeling.rubrics import publish as rubrics
from labeling.texts import clean

CHUNK = 1000
MIN_K, MAX_K = 4, 9  # Ouyang et al. 2022, §3.5
FEWEST_JUDGED = 2  # where policies are compared, K is their number

Group = tuple[Prompt, Sequence[Completion]]
T = TypeVar("T")


class Brief(TypedDict):
    """What kind of prompt a labeler is to write, in place of the prompt that other items have."""

    shape: str
    use_case: str  # empty where the labeler chooses
    text: str  # what the researcher asks for; may be empty, but for a user-based prompt is its use case in words


class Wanted(NamedTuple):
    """What an item is wanted for, and from how many labelers."""

    need: int
    control: Control = Control.ORDINARY


def open_batch(
    *,
    name: str,
    kind: str,
    purpose: str,
    cohort: str,
    guideline: Guideline,
    settings: Settings = PLAIN,
    seed: int | None = None,
) -> Batch:
    """A batch for work of one kind, purpose and cohort, under the rubric of the day.

    Raises BadInput where the guideline is for another purpose, and for settings that cannot be.
    """
    if guideline.purpose != purpose:
        raise BadInput(f"The guideline “{guideline}” is for {guideline.purpose}, the batch is for {purpose}.")
    check_settings(kind, settings)
    return Batch.objects.create(
        name=name,
        kind=kind,
        purpose=purpose,
        cohort=cohort,
        guideline=guideline,
        rubric=rubrics.current(),
        seed=secrets.randbelow(2**31) if seed is None else seed,
        **vars(settings),
    )


def check_settings(kind: str, settings: Settings) -> None:
    """Raises BadInput for what is out of bounds, and for calibration, gold and drift where nothing is ranked."""
    settings.checked()
    mixed = settings.calibration_share or settings.gold_share or settings.drift_count
    if mixed and kind != Kind.RANK:
        raise BadInput("Calibration, gold and drift items are rankings, and in this batch nothing is ranked.")


@transaction.atomic
def add_demonstration_items(batch: Batch, prompts: Iterable[Prompt], *, need: int = 1, priority: int = 5) -> int:
    """One item a prompt, between those of other batches; how many were added."""
    _check(batch, Kind.DEMONSTRATE, need, priority)
    return _take_places(
        batch, [item for chunk in _chunks(prompts) for item in _put(batch, chunk, priority, Wanted(need))]
    )


@transaction.atomic
def add_proposal_items(batch: Batch, briefs: Iterable[Brief], *, need: int = 1, priority: int = 5) -> int:
    """One item a brief, for which a labeler writes a prompt; how many were added.

    Raises BadInput for a shape or a use case that does not exist, and for a user-based brief without a text.
    """
    _check(batch, Kind.PROPOSE, need, priority)
    chunks = _chunks(map(_checked, briefs))
    return _take_places(batch, [item for chunk in chunks for item in _put(batch, chunk, priority, Wanted(need))])


@transaction.atomic
def add_ranking_items(batch: Batch, groups: Iterable[Group], *, need: int = 1, priority: int = 5) -> int:
    """One item a prompt with its K completions; how many were added. The batch's calibration share of them needs
    more labelers.

    Raises BadInput unless K is 4 to 9 everywhere (in an evaluation 2 to 9) and the completions answer their prompt. A
    group whose texts are all the same is left out: there is nothing to rank.
    """
    _check(batch, Kind.RANK, need, priority)
    least = FEWEST_JUDGED if batch.purpose == Purpose.EVALUATION else MIN_K
    rankable = [group for group in groups if _can_be_ranked(*group, least)]
    calibration = _drawn(batch, len(rankable))
    several = Wanted(max(need, batch.calibration_labelers), Control.CALIBRATION)
    wanted = (several if index in calibration else Wanted(need) for index in range(len(rankable)))
    added = []
    for chunk in _chunks(rankable):
        prompts = [prompt for prompt, _ in chunk]
        items = _put(batch, prompts, priority, *islice(wanted, len(chunk)), authors=_written(chunk))
        added += items
        WorkItemCompletion.objects.bulk_create(
            (
                WorkItemCompletion(item=item, completion=completion)
                for item, (_, completions) in zip(items, chunk, strict=True)
                for completion in completions
            ),
            batch_size=5 * CHUNK,
        )
    return _take_places(batch, added)


def _drawn(batch: Batch, count: int) -> set[int]:
    """Which of so many new items are for calibration: drawn from the batch's seed, and so many that the whole batch
    has its share."""
    if not batch.calibration_share:
        return set()
    there: dict[str, int] = batch.items.filter(control__in=OWN).aggregate(
        items=Count("pk"), drawn=Count("pk", filter=Q(control=Control.CALIBRATION))
    )
    missing = share(batch.calibration_share, there["items"] + count) - there["drawn"]
    return set(Random(f"{batch.seed} {there['items']}").sample(range(count), min(count, max(0, missing))))


def _check(batch: Batch, kind: Kind, need: int, priority: int) -> None:
    if batch.kind != kind:
        raise BadInput(f"The batch “{batch}” is for another kind of work ({batch.get_kind_display()}).")
    if not 1 <= need <= 100:
        raise BadInput(f"An item can be given to 1 to 100 labelers, not to {need}.")
    if not 0 <= priority <= 9:
        raise BadInput(f"A priority is 0 (first) to 9 (last), not {priority}.")


def _can_be_ranked(prompt: Prompt, completions: Sequence[Completion], least: int) -> bool:
    if not least <= len(completions) <= MAX_K:
        raise BadInput(f"A ranking needs {least} to {MAX_K} completions; for “{prompt}” there are {len(completions)}.")
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


def _written(groups: Sequence[Group]) -> list[list[int]]:
    """Of each group the labelers who find their own words among the completions: their demonstration for the prompt,
    whether somebody put it there or a model learned it by heart."""
    prompts = Prompt.objects.filter(pk__in=[prompt.pk for prompt, _ in groups], demonstrations__isnull=False)
    by: Mapping[tuple[Any, str], set[int]] = defaultdict(set)
    for prompt, text, labeler in prompts.values_list("pk", "demonstrations__text", "demonstrations__labeler"):
        by[prompt, text.strip()].add(labeler)
    texts = [{(prompt.pk, completion.text.strip()) for completion in completions} for prompt, completions in groups]
    return [sorted(set().union(*(by[key] for key in keys if key in by))) for keys in texts]


def _put(
    batch: Batch, things: Sequence[Prompt | Brief], priority: int, *wanted: Wanted, authors: Sequence[list[int]] = ()
) -> list[WorkItem]:
    """One item a thing at the end of the line; `wanted` is one for all or one for each."""
    lane = Lane.of(batch.kind, batch.cohort)
    places = line.new_places(len(things))
    wanted = wanted * len(things) if len(wanted) == 1 else wanted
    return WorkItem.objects.bulk_create(
        WorkItem(
            batch=batch,
            lane=lane,
            priority=priority,
            pos=pos,
            need=wants.need,
            control=wants.control,
            authors=own,
            **_about(thing),
        )
        for thing, pos, wants, own in zip(things, places, wanted, authors or [[]] * len(things), strict=True)
    )


def _take_places(batch: Batch, added: Sequence[WorkItem]) -> int:
    """Put what was added between the items of other batches; how many it was.

    Cursors come last: a claim locks an item first, and then its labeler's cursor.
    """
    if added:
        lane, priority = Lane.of(batch.kind, batch.cohort), added[0].priority
        moved = weights.interleave(batch, lane, priority)
        # These places were drawn before this commit: somebody may have been served a later one meanwhile.
        line.lower_cursors(lane, priority, min(added[0].pos, moved or added[0].pos) - 1)
    return len(added)


def _about(wanted: Prompt | Brief) -> dict[str, Any]:
    if isinstance(wanted, Prompt):
        return {"prompt": wanted, "topics": wanted.topics}
    return {"brief": wanted}


def _chunks(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
