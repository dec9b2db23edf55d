"""How far each stage of a round is, as its page shows it. Only reads."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from labeling.models import Batch, Round, Stage
from labeling.rounds import report
from labeling.rounds.plan import POLICIES


@dataclass(frozen=True)
class Step:
    """One stage of the loop."""

    stage: Stage
    done: int
    total: int
    unit: str
    phase: str
    eta_seconds: float | None
    link: str
    seconds: float | None
    facts: list[tuple[str, Any]] = field(default_factory=list)


class Measured(NamedTuple):
    """What was measured of one policy; a figure that is not there yet is None."""

    policy: str
    lm_loss: float
    tax: float | None
    kl: float | None


class Results(NamedTuple):
    """What the round has shown, once its policies are judged."""

    win_rates: list[report.WinRate]
    policies: list[Measured]
    open_items: int


class Labels(NamedTuple):
    """How far a batch is."""

    done: int
    wanted: int


def loop_of(round_: Round) -> list[Step]:
    """The round's stages in their order, each with its progress. One query for all batches."""
    stages = list(round_.stages.all())
    batches = Batch.objects.with_progress().filter(pk__in=[stage.batch_id for stage in stages if stage.batch_id])
    labels = {batch.pk: Labels(batch.done, batch.wanted) for batch in batches}
    return [_step(stage, labels.get(stage.batch_id or 0)) for stage in stages]


def results_of(round_: Round) -> Results | None:
    """None before the judgement is done: a win rate that people watch while it is made would sway them."""
    if not any(stage.name == "judge" and stage.state == Stage.State.DONE for stage in round_.stages.all()):
        return None
    found = report.of_round(round_)
    policies = [
        Measured(policy, found["lm_loss"][policy], found["alignment_tax"].get(policy), found["kl"].get(policy))
        for policy in POLICIES
        if policy in found["lm_loss"]
    ]
    return Results(found["win_rates"], policies, found["open_items"])


def _step(stage: Stage, labels: Labels | None) -> Step:
    seconds = _seconds(stage.started_at, stage.finished_at)
    facts = [(name, value) for name, value in stage.result.items() if isinstance(value, int | float | str)][:6]
    if stage.run:
        run = stage.run
        link = reverse("run-detail", args=[run.pk])
        return Step(stage, run.step, run.total, f"{run.unit}s", run.phase, run.eta_seconds, link, seconds, facts)
    if labels:
        link = reverse("batch-detail", args=[stage.batch_id])
        return Step(stage, labels.done, labels.wanted, "labels", "", _eta(stage, labels), link, seconds, facts)
    return Step(stage, 0, 0, "", "", None, "", seconds, facts)


def _seconds(started: datetime | None, finished: datetime | None) -> float | None:
    return ((finished or timezone.now()) - started).total_seconds() if started else None


def _eta(stage: Stage, labels: Labels) -> float | None:
    """Time left at the pace so far."""
    passed = _seconds(stage.started_at, None)
    if stage.state != Stage.State.RUNNING or not passed or not labels.done:
        return None
    return passed / labels.done * (labels.wanted - labels.done)
