"""Look at a round's rows, do what is due, go back to sleep. Safe to ring at any time, any number of times.

Each step is one transaction under the round's row lock: a stage's run or batch comes into being together with its
stage's word that it runs. Whoever comes second while one is at it leaves at once (SKIP LOCKED); whoever comes after
a crash sees either all of a step or nothing of it.
"""

import logging
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from labeling.completions import intake
from labeling.errors import Conflict, PodiumError
from labeling.rounds import people, plan, recipes
from labeling.rounds.models import Round, Stage
from training.doorbell import ring
from training.models import Run
from training.runs.launch import retry as retry_run

logger = logging.getLogger(__name__)

Due = Callable[[Round, Stage], None]


def advance_all() -> None:
    for pk in Round.objects.filter(state=Round.State.RUNNING).values_list("pk", flat=True):
        advance(pk)


def advance(round_id: int) -> None:
    """Do everything that is due in this round now."""
    while _step(round_id):
        pass


def retry(stage: Stage) -> None:
    """Take up a failed stage again: its run goes on from its saved state. Raises Conflict where it has not failed."""
    with transaction.atomic():
        stage = _locked(stage, Stage.State.FAILED, "It has not failed, so there is nothing to try again.")
        if stage.run and retry_run(stage.run):
            _change(stage, Stage.State.RUNNING, note="", finished_at=None)
        else:  # it failed before or after its run: what is due is done anew
            _change(stage, Stage.State.RUNNING if stage.run else Stage.State.PENDING, note="", finished_at=None)
        if not stage.round.stages.filter(state=Stage.State.FAILED).exists():
            Round.objects.filter(pk=stage.round_id).update(state=Round.State.RUNNING, finished_at=None)
        _ring_after_commit()


def go_on(stage: Stage) -> None:
    """A person lets a held stage pass. Raises Conflict where it does not wait for one."""
    with transaction.atomic():
        stage = _locked(stage, Stage.State.HELD, "It does not wait for a person.")
        _change(stage, Stage.State.DONE, note=f"{stage.note} A person let it go on."[:500], finished_at=timezone.now())
        _ring_after_commit()


def _step(round_id: int) -> bool:
    """One due thing, whole or not at all; False where nothing is due, or somebody else is at it."""
    with transaction.atomic():
        running = Round.objects.filter(pk=round_id, state=Round.State.RUNNING)
        round = running.select_for_update(skip_locked=True, no_key=True).first()
        if round is None:
            return False
        stages = list(round.stages.select_related("run", "batch"))
        done = {stage.name for stage in stages if stage.state == Stage.State.DONE}
        after = {planned.name: planned.after for planned in plan.stages(plan.parse(round.settings))}
        for stage in stages:
            due = _due(stage, is_its_turn=done.issuperset(after[stage.name]))
            if due:
                _do(round, stage, due)
                return True
        if len(done) == len(stages):
            _end(round, Round.State.DONE)
        return False


def _due(stage: Stage, *, is_its_turn: bool) -> Due | None:
    if stage.state == Stage.State.RUNNING:
        if stage.run is None:
            return _finish if stage.batch and people.is_done(stage.batch) else None
        ends: dict[str, Due] = {Run.State.DONE: _finish, Run.State.FAILED: _fail_with_run}
        return ends.get(stage.run.state)
    return _start if stage.state == Stage.State.PENDING and is_its_turn else None


def _do(round: Round, stage: Stage, due: Due) -> None:
    try:
        with transaction.atomic():
            due(round, stage)
    except PodiumError as error:
        _fail(round, stage, error.sentence)
    except OSError as error:
        _fail(round, stage, f"The artifact folder cannot be used: {error.strerror or error}.")


def _start(round: Round, stage: Stage) -> None:
    settings = plan.parse(round.settings)
    if stage.name == "gate":
        _judge_gate(round, stage)
        return
    if plan.is_peoples(stage.name):
        stage.batch = people.open_batch(round, stage, settings)
    else:
        stage.run = recipes.queue(round, stage, settings)
    _change(stage, Stage.State.RUNNING, started_at=timezone.now())


def _finish(round: Round, stage: Stage) -> None:
    if stage.run:
        stage.result = stage.run.result or {}
        if plan.recipe_of(stage.name) == "sample":
            intake.take_in(stage.run)
        if stage.name == "requeue":
            stage.batch = people.open_batch(round, stage, plan.parse(round.settings))
    elif stage.batch:
        people.close(stage.batch)
    _change(stage, Stage.State.DONE, finished_at=timezone.now())


def _judge_gate(round: Round, stage: Stage) -> None:
    """PPO follows the reward model wherever it leads. Best-of-n shows where that is before PPO is run."""
    result = round.stages.get(name="reward_model").result
    rate, low = result.get("best_of_n_win_rate"), result.get("best_of_n_win_rate_low")
    stage.result = {"best_of_n_win_rate": rate, "best_of_n_win_rate_low": low}
    now = timezone.now()
    if low is not None and low > 0.5:
        _change(stage, Stage.State.DONE, started_at=now, finished_at=now)
        return
    shown = "has no measured win rate" if rate is None else f"wins {rate:.2f} (at least {low or 0:.2f})"
    note = f"The reward model's best of n {shown} against a random completion; PPO would not follow people's taste."
    _change(stage, Stage.State.HELD, started_at=now, note=note)


def _fail_with_run(round: Round, stage: Stage) -> None:
    assert stage.run is not None  # _due looked
    _fail(round, stage, stage.run.error)


def _fail(round: Round, stage: Stage, sentence: str) -> None:
    stage.refresh_from_db()
    _change(stage, Stage.State.FAILED, note=sentence[:500], finished_at=timezone.now())
    _end(round, Round.State.FAILED)
    logger.error("Round “%s” failed in %s: %s", round, stage.name, sentence)


def _end(round: Round, state: Round.State) -> None:
    round.state = state
    round.finished_at = timezone.now()
    round.save(update_fields=["state", "finished_at"])


def _change(stage: Stage, state: Stage.State, **fields: object) -> None:
    stage.state = state
    for name, value in fields.items():
        setattr(stage, name, value)
    stage.save(update_fields=["state", "run", "batch", "result", *fields])


def _locked(stage: Stage, state: Stage.State, otherwise: str) -> Stage:
    Round.objects.select_for_update(no_key=True).get(pk=stage.round_id)
    stage = Stage.objects.select_related("round", "run").get(pk=stage.pk)
    if stage.state != state:
        raise Conflict(otherwise)
    return stage


def _ring_after_commit() -> None:
    transaction.on_commit(lambda: ring("labeling.tasks.advance_rounds"), robust=True)
