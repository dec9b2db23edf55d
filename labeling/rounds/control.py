"""What people ask of a whole round: pause, go on, stop for good, another priority, another budget.

Each is one transaction under the round's row lock, which `advance.py` takes too: whoever comes second sees what the
first has made of it, and is told so in a sentence where it leaves nothing to do. Nothing is lost by a pause: runs save
and stop, and people's leases may be finished.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.queue import dispatch
from labeling.queue.models import Batch
from labeling.queue.settings import MAX_WEIGHT
from labeling.rounds import budget, timeline
from labeling.rounds.models import Round, RoundEvent, Stage
from training.doorbell import ring
from training.runs.control import stop as stop_run

State, What = Round.State, RoundEvent.What


def pause(round_id: int, who: User) -> None:
    """Nothing new starts; runs save and stop; people are given nothing new. Raises Conflict where it does not run."""
    with transaction.atomic():
        round_ = locked(round_id, State.RUNNING, otherwise="The round does not run, so there is nothing to pause.")
        halt(round_, who=who)


def resume(round_id: int, who: User) -> None:
    """Batches are open again and runs go on from what they saved. Raises Conflict where it is not paused."""
    with transaction.atomic():
        round_ = locked(round_id, State.PAUSED, otherwise="The round is not paused, so there is nothing to resume.")
        if why := budget.used_up(round_):
            raise Conflict(f"{why} Raise the budget first; otherwise the round would pause itself again.")
        dispatch.resume_batches(batches_of(round_))
        round_.state = State.RUNNING
        round_.save(update_fields=["state"])
        timeline.add(round_, What.RESUMED, who=who)
        ring_after_commit()  # what its runs need is in `Stage.goes_on`, and advance sees to it as each has stopped


def stop(round_id: int, who: User) -> None:
    """For good: runs save and stop, nobody is given its items any more, and all labels stay. Raises Conflict."""
    with transaction.atomic():
        live = (State.RUNNING, State.PAUSED, State.FAILED)
        round_ = locked(round_id, *live, otherwise="The round has ended, so there is nothing to stop.")
        unfinished = (Stage.State.RUNNING, Stage.State.HELD, Stage.State.STOPPED)
        for stage in round_.stages.filter(state__in=unfinished).select_related("run"):
            if stage.run:
                stop_run(stage.run, by=who)
            change(stage, Stage.State.STOPPED, goes_on=False, note="The round was stopped.")
        dispatch.end_batches(batches_of(round_))
        end(round_, State.STOPPED)
        timeline.add(round_, What.STOPPED, who=who)


def weigh(round_id: int, weight: str | int, who: User) -> None:
    """Give its batches, also those to come, this share of the labelers against others. Raises BadInput, Conflict."""
    if not str(weight).strip().isdecimal() or not 1 <= int(weight) <= MAX_WEIGHT:
        raise BadInput(f"The priority is {str(weight)[:40]!r}; it is a whole number from 1 to {MAX_WEIGHT}.")
    with transaction.atomic():
        ongoing = [state for state in State if state != State.STOPPED]
        round_ = locked(round_id, *ongoing, otherwise="The round was stopped, so nobody is given its work.")
        before, round_.weight = weight_of(round_), int(weight)
        for batch in batches_of(round_):
            if batch.weight != round_.weight:
                dispatch.change_settings(batch, replace(batch.settings, weight=round_.weight))
        round_.save(update_fields=["weight"])
        if before != round_.weight:
            timeline.add(round_, What.WEIGHT, who=who, changed={"priority": [before, round_.weight]})


def set_budget(round_id: int, values: Mapping[str, Any], who: User) -> None:
    """What its people may spend from now on; an empty field is no bound. Raises BadInput, Conflict."""
    after = budget.checked(values)
    with transaction.atomic():
        live = (State.RUNNING, State.PAUSED, State.FAILED)
        round_ = locked(round_id, *live, otherwise="The round has ended, so it spends nothing any more.")
        before = budget.of(round_)
        changed = {
            name: [before.get(name), after.get(name)]
            for name in budget.Spent._fields
            if before.get(name) != after.get(name)
        }
        if changed:
            round_.settings = {**round_.settings, "budget": after}
            round_.save(update_fields=["settings"])
            timeline.add(round_, What.BUDGET, who=who, changed=changed)
            ring_after_commit()


# ── Inside a transaction that holds the round's lock ────────────────────────────────────────────────────────────────


def locked(round_id: int, *states: Round.State, otherwise: str) -> Round:
    """The round, if it is in one of these states; else Conflict with the sentence."""
    round_ = Round.objects.select_for_update(no_key=True).get(pk=round_id)
    if round_.state not in states:
        raise Conflict(otherwise)
    return round_


def halt(round_: Round, *, who: User | None, why: str = "") -> None:
    """Pause a running round; without `who` it pauses itself, and says why."""
    for stage in round_.stages.filter(state=Stage.State.RUNNING, run__isnull=False).select_related("run"):
        if stage.run and stop_run(stage.run, by=who):
            change(stage, Stage.State.RUNNING, goes_on=True)
    dispatch.pause_batches(batches_of(round_))
    round_.state = State.PAUSED
    round_.save(update_fields=["state"])
    timeline.add(round_, What.PAUSED, who=who, **({"why": why} if why else {}))


def end(round_: Round, state: Round.State) -> None:
    round_.state = state
    round_.finished_at = timezone.now()
    round_.save(update_fields=["state", "finished_at"])


def revive(round_: Round) -> None:
    """A failed round runs again, once none of its stages is left that failed."""
    if not round_.stages.filter(state=Stage.State.FAILED).exists():
        Round.objects.filter(pk=round_.pk).update(state=State.RUNNING, finished_at=None)


def change(stage: Stage, state: Stage.State, **fields: object) -> None:
    stage.state = state
    for name, value in fields.items():
        setattr(stage, name, value)
    stage.save(update_fields=["state", "run", "batch", "result", *fields])


def weight_of(round_: Round) -> int:
    """Its share of the labelers against that of others: what somebody set, or else what its settings say."""
    return round_.weight or int((round_.settings.get("mix") or {}).get("weight", 1))


def batches_of(round_: Round) -> QuerySet[Batch]:
    return Batch.objects.filter(stage__round=round_)


def ring_after_commit() -> None:
    transaction.on_commit(lambda: ring("labeling.tasks.advance_rounds"), robust=True)
