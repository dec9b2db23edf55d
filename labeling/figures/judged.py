"""Every judgement in the database: which policies' completions a labeler put in which order, and what was said of them.

Judgements are the rankings in batches under the evaluation guideline. A batch counts when all of it is done: who
watches a win rate while it is made would be swayed.

Reading them takes a while, so what was read is kept under the version of the rows that it was read from.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, Max, QuerySet

from labeling.completions.models import Completion
from labeling.guidelines.models import Purpose
from labeling.kept import code_of, kept, of_rankings, version_of
from labeling.labelers.models import Labeler
from labeling.prompts.models import Prompt
from labeling.queue.models import OWN, Batch, Kind, WorkItem
from labeling.rankings.models import RankedCompletion, Ranking

CODE = code_of(__file__)


class Said(NamedTuple):
    """Of one completion in one ranking."""

    checkpoint: int  # that sampled it
    place: int  # 1 is best, equal places are a tie
    rating: int | None
    flags: tuple[str, ...]


class Judged(NamedTuple):
    """One labeler's ranking; or, without an item, a prompt to which all policies gave the same text: a tie of all."""

    item: int | None
    batch: int
    prompt: str
    use_case: str
    source: str
    cohort: str  # the labeler's
    rubric: int | None
    said: tuple[Said, ...]


class Judgements(NamedTuple):
    judged: list[Judged]
    waiting: int  # batches that labelers are still at, which do not count yet


class Counting(NamedTuple):
    """Which batches count now. `version` changes with all that `read` would find."""

    done: "QuerySet[Batch]"
    waiting: int
    version: str


def counting() -> Counting:
    batches = Batch.objects.filter(kind=Kind.RANK, purpose=Purpose.EVALUATION)
    left = WorkItem.objects.filter(batch__in=batches, withdrawn_at=None, done__lt=F("need"), control__in=OWN)
    waiting = set(left.order_by().values_list("batch_id", flat=True).distinct())
    done = batches.exclude(pk__in=waiting)
    version = version_of(
        sorted(done.values_list("pk", "cohort", "created_at")),
        len(waiting),
        of_rankings(Ranking.objects.filter(item__batch__in=done, item__control__in=OWN)),
        # Where all policies of a batch say the same there is no ranking that would tell of it.
        Completion.objects.aggregate(last=Max("pk"))["last"],
        sorted(Labeler.objects.values_list("pk", "cohort")),
    )
    return Counting(done, len(waiting), version)


def read(there: Counting | None = None) -> Judgements:
    there = there or counting()
    name = f"judged-{CODE}-{there.version}"
    return kept(name, lambda: Judgements([*_ranked(there.done), *_alike(there.done)], there.waiting))


def _ranked(batches: "QuerySet[Batch]") -> Iterator[Judged]:
    rows = RankedCompletion.objects.filter(
        ranking__item__batch__in=batches, ranking__item__control__in=OWN
    ).values_list(
        "ranking_id", "ranking__item_id", "ranking__item__batch_id", "ranking__item__prompt_id",
        "ranking__item__prompt__use_case", "ranking__item__prompt__source", "ranking__labeler__cohort",
        "ranking__rubric_id", "completion__checkpoint_id", "place", "rating", "flags",
    )  # fmt: skip
    said: dict[int, list[Said]] = defaultdict(list)
    about: dict[int, tuple[int, int, str, str, str, str, int]] = {}
    for (
        ranking, item, batch, prompt, use_case, source, cohort, rubric, checkpoint, place, rating, flags
    ) in rows.iterator():  # fmt: skip
        said[ranking].append(Said(checkpoint, place, rating, tuple(flags)))
        about[ranking] = (item, batch, str(prompt), use_case, source, cohort, rubric)
    for ranking in sorted(said):
        yield Judged(*about[ranking], tuple(said[ranking]))


def _alike(batches: "QuerySet[Batch]") -> Iterator[Judged]:
    """Where all policies of a batch said the same there was nothing to rank, and no item."""
    for batch in batches:
        asked = batch.items.filter(control__in=OWN)
        runs = set(asked.values_list("completions__run", flat=True)) - {None}
        if len(runs) < 2:
            continue
        texts: dict[UUID, dict[UUID, tuple[int, str]]] = defaultdict(dict)
        sampled = Completion.objects.filter(run__in=runs, sample=0).exclude(prompt__in=asked.values("prompt"))
        for run, prompt, checkpoint, text in sampled.values_list("run_id", "prompt_id", "checkpoint_id", "text"):
            texts[prompt][run] = (checkpoint, text.strip())
        same = {
            prompt: [checkpoint for checkpoint, _ in by_run.values()]
            for prompt, by_run in texts.items()
            if len(by_run) == len(runs) and len({text for _, text in by_run.values()}) == 1
        }
        for row in Prompt.objects.filter(pk__in=same).order_by("digest"):
            said = tuple(Said(checkpoint, 1, None, ()) for checkpoint in sorted(same[row.pk]))
            yield Judged(None, batch.pk, str(row.pk), row.use_case, row.source, batch.cohort, None, said)
