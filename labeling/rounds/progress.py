"""How far each stage of a round is, and the round, as its page shows it. Only reads, in few queries: the page polls."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils import timezone

from labeling.errors import BadInput
from labeling.models import Batch, Round, Stage
from labeling.rounds import at_work, budget, plan, report, time_left
from labeling.rounds.at_work import Pace
from labeling.rounds.time_left import NOTHING, Span
from labeling.templatetags.podium import label

State = Stage.State


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
    pace: Pace | None = None
    is_stopping: bool = False  # its run was told to stop, and is still saving
    labels: int = 0  # that its batch has

    @property
    def look(self) -> str:
        """The stage's state, or `paused` where it would run if its round did."""
        is_resting = self.stage.state == State.RUNNING and self.stage.round.state == Round.State.PAUSED
        return "paused" if is_resting and not self.is_stopping else self.stage.state

    @property
    def said(self) -> str:
        if self.is_stopping:
            return "Saving, then it stops"
        if self.look == "paused":
            return "Paused"
        if self.stage.state == State.PENDING and self.stage.round.state == Round.State.STOPPED:
            return "Not started"
        return self.stage.get_state_display()

    @property
    def can_act(self) -> bool:
        """Whether a person can do something about it now; not while its round rests."""
        waits = self.stage.state in (State.FAILED, State.STOPPED, State.HELD)
        return waits and self.stage.round.state in (Round.State.RUNNING, Round.State.FAILED)

    @property
    def can_retry_otherwise(self) -> bool:
        return self.stage.state in (State.FAILED, State.STOPPED) and self.stage.run_id is not None


class Left(NamedTuple):
    """The round's time left: a range, or why nobody can say."""

    span: Span | None
    why: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether one number says it all."""
        return self.span is not None and self.span.high - self.span.low < 0.1 * self.span.high


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
    """The round's stages in their order, each with its progress: a query for the batches, one for their pace."""
    stages = list(round_.stages.all())
    ids = [stage.batch_id for stage in stages if stage.batch_id]
    batches = Batch.objects.with_progress().filter(pk__in=ids)
    labels = {batch.pk: Labels(batch.done, batch.wanted) for batch in batches}
    live = [stage.batch_id for stage in stages if stage.batch_id and stage.state == State.RUNNING]
    found = at_work.paces(live) if live else {}
    steps = [_step(stage, labels.get(stage.batch_id or 0), found.get(stage.batch_id or 0, Pace())) for stage in stages]
    return [replace(step, labels=labels[step.stage.batch_id].done) if step.stage.batch_id else step for step in steps]


def left_of(round_: Round, loop: list[Step]) -> Left:
    """How long the round will still take; one query, for how long stages took before."""
    if round_.state not in (Round.State.RUNNING, Round.State.PAUSED):
        return Left(None)
    if waits := [step.stage for step in loop if step.stage.state in (State.HELD, State.STOPPED)]:
        return Left(None, f"{_listed([stage.name for stage in waits])} {_wait(len(waits))} for a person")
    try:
        settings = plan.parse(round_.settings)
        planned = {stage.name: stage.after for stage in plan.stages(settings)}
    except BadInput:
        return Left(None, "the round's settings are of an earlier version")
    if held := [stage.name for stage in plan.stages(settings) if stage.waits and _is_ahead(stage.name, loop)]:
        return Left(None, f"{_listed(held)} will wait for a person")
    open_names = [step.stage.name for step in loop if step.stage.state != State.DONE]
    before = at_work.took_before(round_, open_names)
    guesses = {step.stage.name: _guess(step, before, settings) for step in loop}
    found = time_left.left(planned, guesses)
    if isinstance(found, list):
        return Left(None, f"no earlier round shows how long {_listed(found)} {'take' if len(found) > 1 else 'takes'}")
    return Left(found)


class Allowed(NamedTuple):
    """Something the round may spend, or aims at."""

    name: str
    spent: float
    of: float
    is_target: bool = False

    @property
    def left(self) -> float:
        return max(0.0, self.of - self.spent)


def spending_of(round_: Round, loop: list[Step]) -> list[Allowed]:
    """Budget and targets, where the settings have them; a query where hours are bounded."""
    bounds = budget.of(round_)
    target = (round_.settings.get("targets") or {}).get("labels")
    labels = sum(step.labels for step in loop)
    spent = {"labels": labels, "hours": budget.hours(round_) if "hours" in bounds else 0}
    found = [Allowed(name, spent[name], bound) for name, bound in bounds.items()]
    return [Allowed("labels", labels, target, is_target=True), *found] if target else found


def results_of(round_: Round) -> Results | None:
    """None before the judgement is done: a win rate that people watch while it is made would sway them."""
    if not any(stage.name == "judge" and stage.state == State.DONE for stage in round_.stages.all()):
        return None
    found = report.of_round(round_)
    policies = [
        Measured(policy, loss, found["alignment_tax"].get(policy), found["kl"].get(policy))
        for policy, loss in found["lm_loss"].items()
    ]
    return Results(found["win_rates"], policies, found["open_items"])


def _step(stage: Stage, labels: Labels | None, found: Pace) -> Step:
    seconds = _seconds(stage.started_at, stage.finished_at)
    facts = [(name, value) for name, value in stage.result.items() if isinstance(value, int | float | str)][:6]
    if stage.run:
        run = stage.run
        link = reverse("run-detail", args=[run.pk])
        step = Step(stage, run.step, run.total, f"{run.unit}s", run.phase, run.eta_seconds, link, seconds, facts)
        is_stopping = stage.goes_on and run.state == run.State.RUNNING
        return replace(step, is_stopping=True, eta_seconds=None) if is_stopping else step
    if labels:
        link = reverse("batch-detail", args=[stage.batch_id])
        if stage.state != State.RUNNING:
            return Step(stage, labels.done, labels.wanted, "labels", "", None, link, seconds)
        guess = _labels_left(stage, labels, found)
        eta = (guess.low + guess.high) / 2 if guess else None
        return Step(stage, labels.done, labels.wanted, "labels", "", eta, link, seconds, pace=found)
    return Step(stage, 0, 0, "", "", None, "", seconds, facts)


def _seconds(started: datetime | None, finished: datetime | None) -> float | None:
    return ((finished or timezone.now()) - started).total_seconds() if started else None


def _labels_left(stage: Stage, labels: Labels, found: Pace) -> Span | None:
    """At the pace of the last hour, and at that since it began."""
    passed = _seconds(stage.started_at, None)
    since_start = labels.done / passed if passed else None
    recent = found.hour / min(3600.0, passed) if passed else None
    return time_left.at_pace(labels.wanted - labels.done, since_start, recent)


def _guess(step: Step, before: Mapping[str, list[tuple[float, int]]], settings: plan.Settings) -> Span | None:
    stage = step.stage
    if stage.state == State.DONE:
        return NOTHING
    if stage.name == "gate":
        return NOTHING  # it only looks
    if stage.state == State.RUNNING and step.pace is not None:
        labels = Labels(step.done, step.total)
        if guess := _labels_left(stage, labels, step.pace):
            return guess
        return time_left.as_before(before.get(stage.name, []), step.total - step.done)
    if stage.state == State.RUNNING and step.eta_seconds is not None:
        return Span(step.eta_seconds, step.eta_seconds)
    return time_left.as_before(before.get(stage.name, []), _labels_planned(stage.name, settings))


def _labels_planned(name: str, settings: plan.Settings) -> int:
    """Of a stage of people's that has not begun; what disagreement and calibration add is in the range."""
    counts = settings.prompts
    return {
        "demonstrate": counts.demonstrate,
        "rank": counts.rank * settings.rankings_per_prompt,
        "rank_valid": counts.rank_valid * settings.rankings_per_prompt,
        "judge": counts.judge * settings.judges,
    }.get(name, 0)


def _is_ahead(name: str, loop: list[Step]) -> bool:
    """Whether a stage with a hold has still to be let go."""
    return any(
        step.stage.name == name and step.stage.state == State.PENDING and step.stage.let_go_at is None for step in loop
    )


def _wait(count: int) -> str:
    return "wait" if count > 1 else "waits"


def _listed(names: list[str]) -> str:
    """`Pretrain, SFT and 16 more`."""
    said = [label(name) for name in names]
    if len(said) > 4:
        said = [*said[:3], f"{len(said) - 3} more"]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
