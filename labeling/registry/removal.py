"""Deleting a checkpoint's weights to make room. The record stays: who made it from what, and who deleted it and why."""

import shutil

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.models import Round
from labeling.registry.models import Promotion, Removal
from labeling.registry.serving import reason
from training.models import Checkpoint, Run
from training.runs.weights import bytes_of, folders_of

LIVE = (Run.State.QUEUED, Run.State.RUNNING)
OPEN = (Round.State.RUNNING, Round.State.PAUSED)


def delete_weights(checkpoint: Checkpoint, user: User, why: str, typed: str) -> Removal:
    """The weights and what is beside them go from the disk, for good.

    `typed` is the checkpoint's name, typed by hand. Raises BadInput for another one and without a reason; Conflict
    where it serves, a run or a round needs it, or there is nothing to delete.
    """
    if " ".join(typed.split()) != " ".join(checkpoint.name.split()):
        raise BadInput("Nothing was deleted: type the checkpoint’s name, exactly as it stands here.")
    why = reason(why)
    with transaction.atomic():
        # A run that is tied to it at the same moment locks the row as well (training/runs/weights.py).
        locked = Checkpoint.objects.select_for_update(no_key=True).get(pk=checkpoint.pk)
        if locked.weights_deleted_at:
            raise Conflict("Its weights were deleted before.")
        if problem := why_not(locked):
            raise Conflict(problem)
        folders = folders_of(locked)
        removal = Removal.objects.create(
            checkpoint=locked, by=user, why=why, bytes=sum(bytes_of(folder) for folder in folders)
        )
        Checkpoint.objects.filter(pk=locked.pk).update(weights_deleted_at=timezone.now())
    delete_leftovers(checkpoint)
    return removal


def delete_leftovers(checkpoint: Checkpoint) -> None:
    """What a deletion that broke off has left on the disk. Nothing of a checkpoint that is not deleted is touched."""
    checkpoint.refresh_from_db()
    if checkpoint.weights_deleted_at:
        for folder in folders_of(checkpoint):
            shutil.rmtree(folder, ignore_errors=True)


def why_not(checkpoint: Checkpoint) -> str:
    """Why its weights may not be deleted now, in a sentence; empty where they may."""
    if not folders_of(checkpoint):
        return f"There are no weights of it on this machine ({checkpoint.path}), so there is nothing to delete."
    if Promotion.objects.filter(checkpoint=checkpoint, ended_at=None).exists():
        return "It serves. Demote it first, or promote another."
    live = Run.objects.filter(parents__checkpoint=checkpoint, state__in=LIVE).order_by("created_at").first()
    if live:
        return f"The run “{live}” is {live.get_state_display().lower()} and reads it."
    if round_ := Round.objects.filter(_named(checkpoint), state__in=OPEN).first():
        return f"The round “{round_}” is not finished and may need it."
    return ""


def _named(checkpoint: Checkpoint) -> Q:
    """Rounds that made the checkpoint, or whose settings name it (labeling/rounds/settings.py)."""
    pk = checkpoint.pk
    named = Q(stages__run__checkpoint=checkpoint) | Q(settings__base=pk) | Q(settings__choose__reward_model=pk)
    named |= Q(settings__policies__contains=[pk]) | Q(settings__sample_from__contains=[{"checkpoint": pk}])
    for part in ("sft", "ppo", "ppo_ptx", "reward_model"):
        named |= Q(**{f"settings__instead__{part}": pk})
    return named
