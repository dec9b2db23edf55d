"""What people do about one stage: let it go on, take its stopped run up again, try a failed one again."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.rounds import control, retry_form, timeline
from labeling.rounds.models import Round, RoundEvent, Stage
from training.contract.spec import SpecError
from training.models import Run
from training.runs.control import resume as resume_run
from training.runs.launch import retry as retry_run

State, What = Stage.State, RoundEvent.What


def go_on(stage: Stage, who: User | None = None) -> None:
    """A person lets a held stage pass: the gate, or one that waits before it starts. Raises Conflict."""
    with transaction.atomic():
        stage = _locked(stage, State.HELD, otherwise="It does not wait for a person.")
        now = timezone.now()
        if stage.started_at:  # it has judged, and a person judges otherwise
            note = f"{stage.note} A person let it go on."[:500]
            control.change(stage, State.DONE, note=note, finished_at=now)
        else:
            control.change(stage, State.PENDING, note="", let_go_at=now)
        timeline.of_stage(stage, What.LET_GO, who=who)
        control.ring_after_commit()


def take_up(stage: Stage, who: User | None = None) -> None:
    """Its stopped run goes on from what it had saved. Raises Conflict where it is not stopped."""
    with transaction.atomic():
        stage = _locked(stage, State.STOPPED, otherwise="It is not stopped, so there is nothing to take up again.")
        if stage.run:
            resume_run(stage.run, by=who)  # False where somebody has done so on the run's page: then it goes on
        control.change(stage, State.RUNNING, note="")
        timeline.of_stage(stage, What.TAKEN_UP, who=who)
        control.ring_after_commit()


def retry(stage: Stage, who: User | None = None, spec: Mapping[str, Any] | None = None) -> None:
    """Take up a failed stage again, or a stopped one with other settings: `spec` is all that its run shall have.

    Raises BadInput for settings that cannot work, Conflict where it has neither failed nor was stopped.
    """
    with transaction.atomic():
        otherwise = "It has not failed, so there is nothing to try again."
        stage = _locked(stage, State.FAILED, *((State.STOPPED,) if spec is not None else ()), otherwise=otherwise)
        changed = _changed(stage, spec)
        if stage.run and _run_again(stage.run, spec if changed else None, who):
            control.change(stage, State.RUNNING, note="", finished_at=None)
        elif changed:
            raise Conflict("Its run is not one that failed or stopped (any more), so its settings cannot be changed.")
        else:  # it failed before or after its run: what is due is done anew
            control.change(stage, State.RUNNING if stage.run else State.PENDING, note="", finished_at=None)
        timeline.of_stage(stage, What.RETRIED, who=who, **({"changed": changed} if changed else {}))
        control.revive(stage.round)
        control.ring_after_commit()


def _changed(stage: Stage, spec: Mapping[str, Any] | None) -> dict[str, list[Any]]:
    """{setting: [before, after]}, checked against the recipe and what the run was given."""
    if spec is None:
        return {}
    if stage.run is None:
        raise Conflict("It failed before it had a run, so there are no settings to change.")
    before = retry_form.whole(stage.run.recipe, stage.run.spec)
    after = retry_form.whole(stage.run.recipe, spec)
    retry_form.check_fits(stage, spec)
    return {name: [before[name], after[name]] for name in after if before.get(name) != after[name]}


def _run_again(run: Run, spec: Mapping[str, Any] | None, who: User | None) -> bool:
    try:
        return retry_run(run, spec, by=who)
    except SpecError as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise Conflict(f"The run's folder cannot be written: {error.strerror or error}.") from error


def _locked(stage: Stage, *states: Stage.State, otherwise: str) -> Stage:
    ongoing = (Round.State.RUNNING, Round.State.FAILED)
    control.locked(stage.round_id, *ongoing, otherwise="The round is paused or has ended, so its stages rest.")
    stage = Stage.objects.select_related("round", "run").get(pk=stage.pk)
    if stage.state not in states:
        raise Conflict(otherwise)
    return stage
