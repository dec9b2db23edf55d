"""Pausing a labeler and letting them go on. A paused one keeps what they hold and is given nothing new."""

from labeling.errors import Conflict
from labeling.labelers.models import Labeler


def pause(labeler: Labeler) -> None:
    """Raises Conflict for one who is not at work."""
    _change(labeler, Labeler.State.ACTIVE, Labeler.State.PAUSED)


def resume(labeler: Labeler) -> None:
    """Raises Conflict for one who is not paused."""
    _change(labeler, Labeler.State.PAUSED, Labeler.State.ACTIVE)


def _change(labeler: Labeler, before: Labeler.State, after: Labeler.State) -> None:
    # Conditional, so that a second click or another admin's cannot undo what came between.
    if not Labeler.objects.filter(pk=labeler.pk, state=before).update(state=after):
        labeler.refresh_from_db(fields=["state"])
        raise Conflict(f"{labeler.pseudonym} is {labeler.get_state_display().lower()}, not {before.label.lower()}.")
    labeler.state = after
