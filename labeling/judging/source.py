"""What a page of results is about: a judgement of its own, or the one that ends a round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from labeling.completions.models import Completion
from labeling.evaluation.columns import Observed
from labeling.evaluation.observed import observe
from labeling.judging.models import Judgement
from labeling.models import Round, Stage
from labeling.queue.models import Batch

SAMPLE = "sample_"


@dataclass(frozen=True)
class Source:
    """`policies`: names by checkpoint, the first being what the others are compared with. `hidden`: why no result may
    be seen yet, empty where it may."""

    name: str
    batch: Batch | None
    policies: Mapping[int, str]
    runs: Sequence[UUID]
    done: int
    wanted: int
    hidden: str
    extended: int
    page: str
    items: str
    csv: str
    api: str

    def observed(self) -> Observed:
        """Everything that was said. To be asked for where `batch` is there."""
        assert self.batch is not None
        return observe(self.batch, self.policies, self.runs)


def of_judgement(judgement: Judgement) -> Source:
    done, wanted = judgement.progress
    return Source(
        name=judgement.name,
        batch=judgement.batch,
        policies=dict(judgement.policies.values_list("checkpoint", "name")),
        runs=list(judgement.drawings.values_list("run", flat=True)),
        done=done,
        wanted=wanted,
        hidden="" if judgement.may_have_been_seen else _hidden(judgement, done, wanted),
        extended=judgement.extended,
        page=reverse("judgement-detail", args=[judgement.pk]),
        items=reverse("judgement-items", args=[judgement.pk]),
        csv=reverse("judgement-csv", args=[judgement.pk]),
        api=reverse("api-judgement", args=[judgement.pk]),
    )


def of_round(round_: Round) -> Source:
    """The round's policies in the order of its stages: the first is what training began with."""
    stages = list(round_.stages.select_related("batch").order_by("position"))
    judge = next((stage for stage in stages if stage.name == "judge"), None)
    runs = {stage.run_id: stage.name.removeprefix(SAMPLE) for stage in stages if stage.name.startswith(SAMPLE)}
    made = Completion.objects.filter(run__in=[run for run in runs if run]).order_by()
    checkpoints = {runs[run]: checkpoint for run, checkpoint in made.values_list("run", "checkpoint").distinct()}
    batch = judge.batch if judge else None
    counted = Batch.objects.with_progress().get(pk=batch.pk) if batch else None
    is_done = judge is not None and judge.state == Stage.State.DONE
    return Source(
        name=f"{round_.name}: judgement",
        batch=batch,
        policies={checkpoints[name]: name for name in runs.values() if name in checkpoints},
        runs=[run for run in runs if run],
        done=counted.done if counted else 0,
        wanted=counted.wanted if counted else 0,
        hidden="" if is_done else "The round shows its results when its last label is there.",
        extended=0,
        page=reverse("round-judgement", args=[round_.pk]),
        items=reverse("round-judgement-items", args=[round_.pk]),
        csv=reverse("round-judgement-csv", args=[round_.pk]),
        api=reverse("api-round-judgement", args=[round_.pk]),
    )


def _hidden(judgement: Judgement, done: int, wanted: int) -> str:
    if judgement.batch is None:
        return "Nothing is judged yet: the policies' completions are being sampled."
    needed = -(-judgement.shown_from * wanted // 100)
    return (
        f"{done:,} of {wanted:,} labels are there; results are shown from {needed:,} on "
        f"({judgement.shown_from} %, as set when it was opened)."
    )
