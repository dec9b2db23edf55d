"""The ways to a lease, in the order in which they are tried. Called through dispatch.py alone; a page lists them."""

from collections.abc import Callable
from dataclasses import dataclass

from labeling.labelers.models import Labeler
from labeling.queue import line
from labeling.queue.models import Assignment, Lane


@dataclass(frozen=True)
class Step:
    """One way, tried where those before it have found nothing."""

    name: str
    sentence: str
    find: Callable[[Labeler, Lane], Assignment | None]


def _look_again(labeler: Labeler, lane: Lane) -> Assignment | None:
    return line.claim(labeler, lane, from_start=True) if line.may_rescan(labeler, lane) else None


GO_ON = Step("Go on", "Who holds a piece of this kind is led back to it, and its lease is renewed.", line.resume)
NEXT = Step(
    "The next in the line",
    "Of the items that meet all rules: the lowest priority number first, and of these the one that stands first in the "
    "line, where the items of open batches are mixed by the batches’ weights. The search begins where the labeler has "
    "got to.",
    line.claim,
)
LOOK_AGAIN = Step(
    "Look again from the start",
    "Where nothing is found, the line is looked through from its start, at most once a minute: somebody may just have "
    "held an item when the labeler passed it by.",
    _look_again,
)
TAKE_UP_AGAIN = Step(
    "Take up again",
    "At last, what this labeler had and did not finish: a lease that ran out, or a piece put aside with “not now”.",
    line.take_up_again,
)
STEPS = (GO_ON, NEXT, LOOK_AGAIN, TAKE_UP_AGAIN)


def lease(labeler: Labeler, lane: Lane, *, just_ended: bool) -> Assignment | None:
    """The first lease that a step finds. Where the labeler's only lease has just ended there is none to go on with, so
    that step comes last."""
    steps = (*STEPS[1:], STEPS[0]) if just_ended else STEPS
    for step in steps:
        if found := step.find(labeler, lane):
            return found
    return None
