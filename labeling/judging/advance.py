"""Look at a judgement's rows, do what is due, go back to sleep: samples become work, and labels end it.

As with rounds, each step is one transaction under the judgement's row lock, so it may be rung at any time, by anybody.
"""

import logging

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.completions import intake
from labeling.completions.models import Completion
from labeling.errors import Conflict, PodiumError
from labeling.guidelines.models import Purpose
from labeling.judging.models import Drawing, Judgement
from labeling.judging.open import ring_after_commit
from labeling.prompts.models import Prompt
from labeling.queue import dispatch
from labeling.queue.models import OWN, Batch, Kind
from training.models import Run
from training.runs import control
from training.runs.launch import retry as retry_run

logger = logging.getLogger(__name__)
State = Judgement.State


def advance_all() -> None:
    for pk in Judgement.objects.filter(state=State.RUNNING).values_list("pk", flat=True):
        advance(pk)


def advance(judgement_id: int) -> None:
    """Do everything that is due in this judgement now."""
    while _step(judgement_id):
        pass


def pause(judgement: Judgement) -> None:
    """Give none of its work to anybody, and take no samples in. Raises Conflict where it does not run."""
    with transaction.atomic():
        judgement = _locked(judgement, State.RUNNING)
        if judgement.batch:
            dispatch.pause_batches([judgement.batch])
        _change(judgement, State.PAUSED)


def resume(judgement: Judgement) -> None:
    """Raises Conflict where it is not paused."""
    with transaction.atomic():
        judgement = _locked(judgement, State.PAUSED)
        if judgement.batch:
            dispatch.resume_batches([judgement.batch])
        _change(judgement, State.RUNNING)
        ring_after_commit()


def stop(judgement: Judgement) -> None:
    """End it for good with the labels that are there. Raises Conflict where it has ended."""
    with transaction.atomic():
        judgement = _locked(judgement, State.RUNNING, State.PAUSED, State.FAILED)
        for drawing in judgement.drawings.filter(taken_in_at=None).select_related("run"):
            control.stop(drawing.run)
        if judgement.batch:
            dispatch.end_batches([judgement.batch])
        _change(judgement, State.STOPPED, "A person stopped it; what was judged before stays.")


def retry(judgement: Judgement) -> None:
    """Take a failed one up again: a run goes on from its saved state. Raises Conflict where it has not failed."""
    with transaction.atomic():
        judgement = _locked(judgement, State.FAILED)
        for drawing in judgement.drawings.filter(taken_in_at=None).select_related("run"):
            if drawing.run.state == Run.State.STOPPED:
                control.resume(drawing.run)
            else:
                retry_run(drawing.run)
        _change(judgement, State.RUNNING)
        ring_after_commit()


def _step(judgement_id: int) -> bool:
    """One due thing, whole or not at all; False where nothing is due, or somebody else is at it."""
    with transaction.atomic():
        running = Judgement.objects.filter(pk=judgement_id, state=State.RUNNING)
        judgement = running.select_for_update(of=("self",), skip_locked=True).select_related("batch").first()
        if judgement is None:
            return False
        waiting = list(judgement.drawings.filter(taken_in_at=None).select_related("run"))
        for drawing in waiting:
            match drawing.run.state:
                case Run.State.DONE:
                    return _try(judgement, drawing)
                case Run.State.FAILED:
                    _change(judgement, State.FAILED, f"Sampling failed: {drawing.run.error}")
                    return False
                case Run.State.STOPPED:
                    _change(judgement, State.FAILED, "The sampling run was stopped.")
                    return False
        if not waiting and judgement.batch and _is_done(judgement.batch):
            _change(judgement, State.DONE)
        return False


def _try(judgement: Judgement, drawing: Drawing) -> bool:
    try:
        with transaction.atomic():
            _take_in(judgement, drawing)
    except PodiumError as error:
        _fail(judgement, error.sentence)
    except OSError as error:
        _fail(judgement, f"The artifact folder cannot be used: {error.strerror or error}.")
    else:
        return True
    return False


def _take_in(judgement: Judgement, drawing: Drawing) -> None:
    """One item a prompt with a completion of each policy, side by side; the queue shuffles them and names none."""
    made = intake.take_in(drawing.run)
    if judgement.batch is None:
        judgement.batch = dispatch.open_batch(
            name=f"{judgement.name}: judgement",
            kind=Kind.RANK,
            purpose=Purpose.EVALUATION,
            cohort=judgement.cohort,
            guideline=judgement.guideline,
            seed=judgement.seed,
        )
        judgement.save(update_fields=["batch"])
    dispatch.add_ranking_items(judgement.batch, _groups(judgement, made), need=judgement.judges)
    drawing.taken_in_at = timezone.now()
    drawing.save(update_fields=["taken_in_at"])


def _groups(judgement: Judgement, made: list[Completion]) -> list[tuple[Prompt, list[Completion]]]:
    """By prompt, in an order that has nothing to do with their ids; a prompt that a policy left out is not judged."""
    by_prompt: dict[str, list[Completion]] = {}
    prompts = Prompt.objects.in_bulk({completion.prompt_id for completion in made})
    for completion in made:
        by_prompt.setdefault(prompts[completion.prompt_id].digest, []).append(completion)
    wanted = judgement.policies.count()
    return [
        (prompts[group[0].prompt_id], group) for _, group in sorted(by_prompt.items()) if len(group) == wanted
    ]  # fmt: skip


def _is_done(batch: Batch) -> bool:
    return not batch.items.filter(withdrawn_at=None, done__lt=F("need"), control__in=OWN).exists()


def _fail(judgement: Judgement, sentence: str) -> None:
    judgement.refresh_from_db()
    _change(judgement, State.FAILED, sentence)
    logger.error("Judgement “%s” failed: %s", judgement, sentence)


def _change(judgement: Judgement, state: Judgement.State, note: str = "") -> None:
    judgement.state, judgement.note = state, note[:500]
    judgement.finished_at = timezone.now() if state in (State.DONE, State.FAILED, State.STOPPED) else None
    judgement.save(update_fields=["state", "note", "finished_at"])


def _locked(judgement: Judgement, *states: Judgement.State) -> Judgement:
    judgement = Judgement.objects.select_for_update(of=("self",)).select_related("batch").get(pk=judgement.pk)
    if judgement.state not in states:
        raise Conflict(f"It is {judgement.get_state_display().lower()}, so that cannot be done now.")
    return judgement
