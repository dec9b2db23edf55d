"""Why a labeler was not given an item: the first rule that keeps it from them. Only reads."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from labeling.labelers.models import Labeler
from labeling.queue import dispatch
from labeling.queue.models import Assignment, Cursor, Lane, WorkItem
from labeling.queue.rules import NEVER_TWICE, RULES, WANTED, Rule
from labeling.queue.steps import GO_ON, LOOK_AGAIN

ACCOUNT = "The labeler may work"
TURN = "Their turn"
NEXT = "Nothing keeps it from them: it is the next one they get."
AHEAD = """
SELECT count(*) FROM labeling_workitem w
WHERE {rules} AND (w.priority, w.pos) < (%(priority)s, %(pos)s)
"""


@dataclass(frozen=True)
class Reason:
    """The rule's name, and what it says of this labeler and this item."""

    rule: str
    sentence: str


def why_not(labeler: Labeler, item: WorkItem) -> Reason:
    """The first rule, in the order in which they are asked, that keeps this item from this labeler now."""
    if sentence := dispatch.why_not(labeler):
        return Reason(ACCOUNT, f"{labeler} is told: {sentence}")
    broken = _broken(labeler, item)
    if broken is not None:
        return _detailed(RULES[broken], labeler, item)
    return _turn(labeler, item)


def _parameters(labeler: Labeler, item: WorkItem) -> dict[str, Any]:
    """As the claim has them (line.py), with the item's kind of work."""
    lane = Lane.of(item.batch.kind, labeler.cohort)
    return {"labeler": labeler.pk, "lane": int(lane), "unwanted": labeler.unwanted_topics, "item": item.pk}


def _broken(labeler: Labeler, item: WorkItem) -> int | None:
    conditions = ", ".join(f"({rule.sql})" for rule in RULES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {conditions} FROM labeling_workitem w WHERE w.id = %(item)s", _parameters(labeler, item)
        )
        met = cursor.fetchone()
    return next((index for index, holds in enumerate(met) if not holds), None)


def _detailed(rule: Rule, labeler: Labeler, item: WorkItem) -> Reason:
    if rule is WANTED:
        return Reason(rule.name, _why_closed(item))
    if rule is NEVER_TWICE:
        return Reason(rule.name, _what_was(labeler, item))
    return Reason(rule.name, rule.sentence)


def _why_closed(item: WorkItem) -> str:
    if item.withdrawn_at:
        return "The item is withdrawn."
    if item.held_at:
        return f"The item is held: {item.held_because}"
    if item.is_paused:
        return "The item's batch is paused, so nobody new is given it."
    labelers = "1 labeler" if item.need == 1 else f"{item.need} labelers"
    return f"The item needs {labelers}, and {item.taken} have done it or have it now."


def _what_was(labeler: Labeler, item: WorkItem) -> str:
    had = Assignment.objects.get(labeler=labeler, item=item)
    said = {
        Assignment.State.LEASED: "has it now",
        Assignment.State.DONE: "has done it",
        Assignment.State.EXPIRED: "has had it, and gets it back when nothing else is open",
        Assignment.State.SKIPPED: "has skipped it",
    }
    return f"{labeler} {said[Assignment.State(had.state)]}."


def _turn(labeler: Labeler, item: WorkItem) -> Reason:
    """No rule keeps it from them, so it is a matter of the order."""
    leases = Assignment.objects.filter(labeler=labeler, lane=item.lane, state=Assignment.State.LEASED)
    if leases.exists():
        return Reason(GO_ON.name, f"{labeler} holds another piece of this kind and is led back to it.")
    cursor = Cursor.objects.filter(labeler=labeler, lane=item.lane, priority=item.priority).first()
    if cursor and cursor.pos >= item.pos:
        return Reason(
            LOOK_AGAIN.name,
            f"{labeler} has passed its place in the line, and comes by again once nothing else is open for them.",
        )
    parameters = {**_parameters(labeler, item), "priority": item.priority, "pos": item.pos}
    with connection.cursor() as connected:
        connected.execute(AHEAD.format(rules=" AND ".join(rule.sql for rule in RULES)), parameters)
        (ahead,) = connected.fetchone()
    pieces = "1 piece stands" if ahead == 1 else f"{ahead:,} pieces stand"
    return Reason(TURN, f"Nothing keeps it from {labeler}: {pieces} before it in the line." if ahead else NEXT)
