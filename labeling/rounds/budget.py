"""What a round's people have spent, of what they may: labels and hours of active time."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import F, Sum

from labeling.errors import BadInput
from labeling.queue.models import OWN, ActiveSpan, WorkItem
from labeling.rounds.models import Round

HOUR = timedelta(hours=1)
MOST = 10_000_000


class Spent(NamedTuple):
    """Of one round. Gold and drift items are no labels of its own; active time is the ledger's, spent on either."""

    labels: int = 0
    hours: float = 0.0


def spent_by(rounds: Iterable[int]) -> dict[int, Spent]:
    """By the round's id, in two queries; a round without batches is left out."""
    ids = list(rounds)
    labels = (
        WorkItem.objects.filter(batch__stage__round__in=ids, control__in=OWN)
        .values_list("batch__stage__round")
        .annotate(done=Sum("done"))
    )
    found = {pk: Spent(done) for pk, done in labels}
    for pk, time in _hours(ids).items():
        found[pk] = found.get(pk, Spent())._replace(hours=time)
    return found


def hours(round_: Round) -> float:
    return _hours([round_.pk]).get(round_.pk, 0.0)


def _hours(ids: list[int]) -> dict[int, float]:
    active = (
        ActiveSpan.objects.filter(assignment__item__batch__stage__round__in=ids)
        .values_list("assignment__item__batch__stage__round")
        .annotate(time=Sum(F("ended_at") - F("started_at")))
    )
    return {pk: time / HOUR for pk, time in active}


def spent(round_: Round) -> Spent:
    return spent_by([round_.pk]).get(round_.pk, Spent())


def of(round_: Round) -> Mapping[str, float]:
    """What the round may spend: `labels`, `hours`, neither, or both."""
    budget: Mapping[str, float] = round_.settings.get("budget") or {}
    return {name: budget[name] for name in Spent._fields if budget.get(name)}


def used_up(round_: Round) -> str:
    """Why no more may be spent, as a sentence; empty where there is something left, or no budget."""
    budget = of(round_)
    if not budget:
        return ""
    now = spent(round_)
    if "labels" in budget and now.labels >= budget["labels"]:
        return f"The budget of {budget['labels']:,} labels is used up: {now.labels:,} are there."
    if "hours" in budget and now.hours >= budget["hours"]:
        return f"The budget of {budget['hours']:,g} hours is used up: people were at work for {now.hours:,.1f}."
    return ""


def checked(values: Mapping[str, Any]) -> dict[str, float]:
    """A new budget from what a form gave; an empty field is no bound. Raises BadInput."""
    found: dict[str, float] = {}
    for name, kind in (("labels", int), ("hours", float)):
        text = str(values.get(name, "")).strip()
        if not text:
            continue
        try:
            found[name] = kind(text)
        except ValueError:
            raise BadInput(f"A budget of {name} is a number; “{text[:40]}” is none.") from None
        if not 0 < found[name] <= MOST:
            raise BadInput(f"A budget of {name} is more than 0 and at most {MOST:,}.")
    return found
