"""The states of a labeler: invited → screening → active → paused → left. The only writer of `Labeler.state`.

A change is a row of its own (from what, to what, when, by whom, why), stored in the transaction that changes the state.
Whoever stops working gives back what they hold: `stopped_work` tells the queue, which keeps the drafts.
"""

from django.db import transaction

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import Labeler, StateChange, User
from labeling.labelers.signals import stopped_work
from labeling.texts import clean

State = Labeler.State

# From a state to those that may follow it. Back to screening leads a decision of the screening that is taken back.
ALLOWED: dict[str, tuple[State, ...]] = {
    State.INVITED: (State.SCREENING, State.ACTIVE, State.LEFT),
    State.SCREENING: (State.ACTIVE, State.LEFT),
    State.ACTIVE: (State.PAUSED, State.LEFT, State.SCREENING),
    State.PAUSED: (State.ACTIVE, State.LEFT),
    State.LEFT: (State.ACTIVE, State.SCREENING),
}
# Changes whose reason somebody will ask for one day.
WITH_REASON = {
    *((before, after) for before in State for after in (State.PAUSED, State.LEFT)),
    (State.INVITED, State.ACTIVE),
    (State.SCREENING, State.ACTIVE),
    (State.LEFT, State.ACTIVE),
}
LONGEST = 1000


def change(labeler: Labeler, after: State, *, by: User | None, why: str = "", seen: str = "") -> StateChange:
    """The labeler's next state, with its row of history. `seen` is the state that the person who decides looked at.

    Raises Conflict where the labeler is in another state by now, or where the state does not follow from theirs;
    BadInput where a reason is due and missing, or is too long.
    """
    before = State(seen if seen in State.values else labeler.state)
    if after not in ALLOWED[before]:
        raise Conflict(f"{labeler.pseudonym} is {before.label.lower()}, and cannot become {after.label.lower()}.")
    why = _reason(why, is_due=(before, after) in WITH_REASON)
    with transaction.atomic():
        # Conditional, so that a second click or another admin's cannot undo what came between.
        if not Labeler.objects.filter(pk=labeler.pk, state=before).update(state=after):
            labeler.refresh_from_db(fields=["state"])
            raise Conflict(
                f"{labeler.pseudonym} is {labeler.get_state_display().lower()} by now, not {before.label.lower()}; "
                "nothing was changed."
            )
        labeler.state = after
        if before == State.ACTIVE:
            stopped_work.send(Labeler, labeler=labeler)
        return StateChange.objects.create(labeler=labeler, before=before, after=after, by=by, why=why)


def pause(labeler: Labeler, *, by: User, why: str, seen: str = "") -> StateChange:
    """No more work for now, for a reason. Raises as `change` does."""
    return change(labeler, State.PAUSED, by=by, why=why, seen=seen)


def resume(labeler: Labeler, *, by: User, why: str = "", seen: str = "") -> StateChange:
    """At work again: after a pause, or, for a reason, after having left. Raises as `change` does."""
    return change(labeler, State.ACTIVE, by=by, why=why, seen=seen)


def leave(labeler: Labeler, *, by: User, why: str, seen: str = "") -> StateChange:
    """No more work at all, for a reason. What the labeler did stays. Raises as `change` does."""
    return change(labeler, State.LEFT, by=by, why=why, seen=seen)


def begin(labeler: Labeler, *, why: str) -> StateChange:
    """The first row of a labeler who has this moment been made, in the state that they start in."""
    return StateChange.objects.create(
        labeler=labeler, before=State.INVITED, after=labeler.state, by=labeler.user, why=why
    )


def _reason(why: str, *, is_due: bool) -> str:
    if not why.strip():
        if is_due:
            raise BadInput("Please give a reason: it stays in this labeler's history.")
        return ""
    why = clean(why, "The reason")
    if len(why) > LONGEST:
        raise BadInput(f"A reason has at most {LONGEST:,} characters; this one has {len(why):,}.")
    return why
