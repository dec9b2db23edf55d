"""A new round: its settings are checked whole, then its rows are made."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from labeling.errors import BadInput
from labeling.guidelines.models import Guideline, Purpose
from labeling.labelers.models import User
from labeling.rounds import plan, selection, timeline
from labeling.rounds.models import Round, RoundEvent, Stage
from training.doorbell import ring
from training.models import Checkpoint, Dataset


def open_round(*, name: str, settings: Mapping[str, Any], seed: int, user: User) -> Round:
    """The round with all its stages, waiting for their turn. Raises BadInput; then nothing was made."""
    checked = plan.parse(settings)
    _check_rows(checked)
    with transaction.atomic():
        round = Round.objects.create(name=name, settings=dict(settings), seed=seed, created_by=user)
        selection.check_enough(round, checked.prompts)
        Stage.objects.bulk_create(
            Stage(round=round, name=stage.name, position=position)
            for position, stage in enumerate(plan.stages(checked), start=1)
        )
        timeline.add(round, RoundEvent.What.OPENED, who=user)
        transaction.on_commit(lambda: ring("labeling.tasks.advance_rounds"), robust=True)
    return round


def _check_rows(settings: plan.Settings) -> None:
    for purpose in Purpose.values:
        pk = settings.guidelines.get(purpose)
        if pk is None or not Guideline.objects.filter(pk=pk, purpose=purpose).exists():
            raise BadInput(f"The round needs a published guideline for {purpose}; {pk!r} is none.")
    for label in ("texts", "valid_texts"):
        pk = getattr(settings, label)
        if not Dataset.objects.filter(pk=pk, kind="texts").exists():
            raise BadInput(f"“{label}” is {pk!r}, which is no dataset of texts.")
    if settings.base and not Checkpoint.objects.filter(pk=settings.base, kind=Checkpoint.Kind.POLICY).exists():
        raise BadInput(f"“base” is {settings.base!r}, which is no policy's checkpoint.")
