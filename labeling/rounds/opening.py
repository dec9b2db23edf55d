"""A new round: its settings are checked whole, then its rows are made."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from labeling.labelers.models import User
from labeling.rounds import plan, rows, selection, timeline
from labeling.rounds.checks import BadSetting, Problem, whole
from labeling.rounds.models import Round, RoundEvent, Stage
from training.doorbell import ring

MOST_NAME, MOST_SEED = 200, 2**31 - 1


def open_round(*, name: str, settings: Mapping[str, Any], seed: int, user: User) -> Round:
    """The round with all its stages, waiting for their turn. Raises BadInput; then nothing was made.

    Settings with the token of a form open one round: sent again, they give the one that is there.
    """
    checked = plan.parse(settings)
    if found := [*_head(name, seed), *rows.problems(checked)]:
        raise BadSetting(found[0])
    with transaction.atomic():
        if checked.token:
            with connection.cursor() as cursor:  # the second click waits here for the first, and then finds its round
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"labeling.rounds {checked.token}"])
            if there := Round.objects.filter(settings__token=checked.token, created_by=user).first():
                return there
        round = Round.objects.create(name=name, settings=dict(settings), seed=seed, created_by=user)
        selection.check_enough(round, checked)
        Stage.objects.bulk_create(
            Stage(round=round, name=stage.name, position=position)
            for position, stage in enumerate(plan.stages(checked), start=1)
        )
        timeline.add(round, RoundEvent.What.OPENED, who=user)
        transaction.on_commit(lambda: ring("labeling.tasks.advance_rounds"), robust=True)
    return round


def problems(*, name: str, settings: Mapping[str, Any], seed: int) -> list[Problem]:
    """All that keeps such a round from being opened now. Nothing is written."""
    found = [*_head(name, seed), *plan.problems(settings)]
    if found:
        return found
    checked = plan.parse(settings)
    as_if = Round(seed=seed, created_at=timezone.now())
    short = [Problem("prompts", sentence) for sentence in selection.missing(as_if, checked)]
    return [*rows.problems(checked), *short]


def _head(name: str, seed: object) -> Iterator[Problem]:
    if not 0 < len(name.strip()) <= MOST_NAME:
        yield Problem("name", f"A round has a name, of at most {MOST_NAME} characters.")
    if not whole(seed) or not 0 <= seed <= MOST_SEED:  # type: ignore[operator]
        yield Problem("seed", f"The seed is {seed!r}; it is a whole number from 0 to {MOST_SEED}.")
