"""Look at a round's rows, do what is due, go back to sleep. Safe to ring at any time, any number of times.

Each step is one transaction under the round's row lock: a stage's run or batch comes into being together with its
stage's word that it runs, and with the event that tells of it. Whoever comes second while one is at it leaves at once
(SKIP LOCKED); whoever comes after a crash sees either all of a step or nothing of it. What people ask of a round is in
`control.py`, under the same lock.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling.completions import intake
from labeling.errors import PodiumError
from labeling.queue import dispatch
from labeling.queue.models import Batch
from labeling.rounds import budget, control, people, plan, recipes, timeline
from labeling.rounds.models import Round, RoundEvent, Stage
from training.models import Run
from training.runs.control import resume as resume_run

logger = logging.getLogger(__name__)

Due = Callable[[Round, Stage], None]
State, What = Stage.State, RoundEvent.What
OPEN = (State.PENDING, State.RUNNING, State.HELD)
# A failed run that somebody has tried again on its own page.
LIVE = (Run.State.QUEUED, Run.State.RUNNING)
BEGUN_ANEW = Q(state=Round.State.FAILED, stages__state=State.FAILED, stages__run__state__in=LIVE)


def advance_all() -> None:
    for pk in Round.objects.filter(BEGUN_ANEW).values_list("pk", flat=True).distinct():
        _notice(pk)
    for pk in Round.objects.filter(state=Round.State.RUNNING).values_list("pk", flat=True):
        advance(pk)


def advance(round_id: int) -> None:
    """Do everything that is due in this round now."""
    while _step(round_id):
        pass


def _step(round_id: int) -> bool:
    """One due thing, whole or not at all; False where nothing is due, or somebody else is at it."""
    with transaction.atomic():
        running = Round.objects.filter(pk=round_id, state=Round.State.RUNNING)
        round = running.select_for_update(skip_locked=True, no_key=True).first()
        if round is None:
            return False
        stages = list(round.stages.select_related("run", "batch"))
        if found := _first(stages, _under_way):
            return _do(round, *found)
        if all(stage.state == State.DONE for stage in stages):
            control.end(round, Round.State.DONE)
            timeline.add(round, What.DONE)
            return False
        to_spend = any(plan.is_peoples(stage.name) and stage.state in OPEN for stage in stages)
        if to_spend and (why := budget.used_up(round)):
            control.halt(round, who=None, why=why)
            return False
        planned = {stage.name: stage for stage in plan.stages(plan.parse(round.settings))}
        done = {stage.name for stage in stages if stage.state == State.DONE}
        found = _first(stages, lambda stage: _to_begin(stage, planned, done))
        return found is not None and _do(round, *found)


def _notice(round_id: int) -> None:
    """The failed stages whose runs go on are running again, and so is the round once none is left that failed."""
    with transaction.atomic():
        failed = Round.objects.filter(pk=round_id, state=Round.State.FAILED)
        round = failed.select_for_update(skip_locked=True, no_key=True).first()
        if round is None:
            return
        for stage in round.stages.filter(state=State.FAILED, run__state__in=LIVE):
            control.change(stage, State.RUNNING, note="", finished_at=None)
            timeline.add(round, What.TAKEN_UP, stage=stage.name, why="Its run was tried again.")
        control.revive(round)


def _first(stages: Sequence[Stage], due_of: Callable[[Stage], Due | None]) -> tuple[Stage, Due] | None:
    return next(((stage, due) for stage in stages if (due := due_of(stage))), None)


def _under_way(stage: Stage) -> Due | None:
    """What is due of a stage that has begun."""
    run = stage.run
    if stage.state == State.STOPPED:  # somebody may have had its run go on, on the run's page
        return _take_up if run and run.state != Run.State.STOPPED else None
    if stage.state != State.RUNNING:
        return None
    if run is None:
        return _finish if stage.batch and people.is_done(stage.batch) else None
    ends: dict[str, Due] = {
        Run.State.DONE: _finish,
        Run.State.FAILED: _fail_with_run,
        Run.State.STOPPED: _go_on_with_run if stage.goes_on else _stop_with_run,
    }
    return ends.get(run.state)


def _to_begin(stage: Stage, planned: Mapping[str, plan.StagePlan], done: set[str]) -> Due | None:
    if stage.state != State.PENDING or not done.issuperset(planned[stage.name].after):
        return None
    return _hold if planned[stage.name].waits and stage.let_go_at is None else _start


def _do(round: Round, stage: Stage, due: Due) -> bool:
    try:
        with transaction.atomic():
            due(round, stage)
    except PodiumError as error:
        _fail(round, stage, error.sentence)
    except OSError as error:
        _fail(round, stage, f"The artifact folder cannot be used: {error.strerror or error}.")
    return True


def _hold(round: Round, stage: Stage) -> None:
    note = "Its turn has come. It starts when a person lets it."
    control.change(stage, State.HELD, note=note)
    timeline.add(round, What.HELD, stage=stage.name, why=note)


def _start(round: Round, stage: Stage) -> None:
    settings = plan.parse(round.settings)
    if stage.name == "gate":
        _judge_gate(round, stage)
        return
    if plan.is_peoples(stage.name):
        stage.batch = _opened(round, stage, settings)
    else:
        stage.run = recipes.queue(round, stage, settings)
    control.change(stage, State.RUNNING, started_at=timezone.now())
    timeline.add(round, What.STARTED, stage=stage.name)


def _opened(round: Round, stage: Stage, settings: plan.Settings) -> Batch:
    batch = people.open_batch(round, stage, settings)
    if round.weight and round.weight != batch.weight:
        return dispatch.change_settings(batch, replace(batch.settings, weight=round.weight))
    return batch


def _finish(round: Round, stage: Stage) -> None:
    if stage.run:
        stage.result = stage.run.result or {}
        if plan.recipe_of(stage.name) == "sample":
            intake.take_in(stage.run)
        if stage.name == "requeue":
            stage.batch = _opened(round, stage, plan.parse(round.settings))
    elif stage.batch:
        people.close(stage.batch)
        stage.result = {"labels": Batch.objects.with_progress().get(pk=stage.batch.pk).done}
    control.change(stage, State.DONE, note="", goes_on=False, finished_at=timezone.now())
    timeline.add(round, What.FINISHED, stage=stage.name)


def _judge_gate(round: Round, stage: Stage) -> None:
    """PPO follows the reward model wherever it leads. Best-of-n shows where that is before PPO is run."""
    result = round.stages.get(name="reward_model").result
    rate, low = result.get("best_of_n_win_rate"), result.get("best_of_n_win_rate_low")
    stage.result = {"best_of_n_win_rate": rate, "best_of_n_win_rate_low": low}
    now = timezone.now()
    if low is not None and low > 0.5:
        control.change(stage, State.DONE, started_at=now, finished_at=now)
        timeline.add(round, What.FINISHED, stage=stage.name)
        return
    shown = "has no measured win rate" if rate is None else f"wins {rate:.2f} (at least {low or 0:.2f})"
    note = f"The reward model's best of n {shown} against a random completion; PPO would not follow people's taste."
    control.change(stage, State.HELD, started_at=now, note=note)
    timeline.add(round, What.HELD, stage=stage.name, why=note)


def _go_on_with_run(round: Round, stage: Stage) -> None:
    """The round is resumed, and the run that its pause had stopped has saved and left."""
    assert stage.run is not None  # _under_way looked
    resume_run(stage.run)
    control.change(stage, State.RUNNING, goes_on=False)


def _stop_with_run(round: Round, stage: Stage) -> None:
    note = "Its run was stopped. What it had saved is kept, and it can go on from there."
    control.change(stage, State.STOPPED, note=note)
    timeline.add(round, What.RUN_STOPPED, stage=stage.name, why="Its run was stopped.")


def _take_up(round: Round, stage: Stage) -> None:
    control.change(stage, State.RUNNING, note="")
    timeline.add(round, What.TAKEN_UP, stage=stage.name, why="Its run goes on.")


def _fail_with_run(round: Round, stage: Stage) -> None:
    assert stage.run is not None  # _under_way looked
    _fail(round, stage, stage.run.error)


def _fail(round: Round, stage: Stage, sentence: str) -> None:
    stage.refresh_from_db()
    control.change(stage, State.FAILED, note=sentence[:500], goes_on=False, finished_at=timezone.now())
    control.end(round, Round.State.FAILED)
    timeline.add(round, What.FAILED, stage=stage.name, why=sentence[:500])
    logger.error("Round “%s” failed in %s: %s", round, stage.name, sentence)
