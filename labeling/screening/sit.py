"""A candidate at the screening set: begin, save step by step, send in once. The only writer of Sitting and Response.

A save and the sending in from a second window take turns at the sitting's row lock. What comes after a set was closed
is kept all the same, and the candidate is told.
"""

import random
import secrets
import string
from collections.abc import Mapping
from itertools import product
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers.models import Labeler
from labeling.screening import answers
from labeling.screening.models import Response, ScreeningItem, ScreeningSet, Sitting
from labeling.screening.prepare import asked

SENT_IN = "You have sent your answers in. They cannot be changed any more."
CLOSED = "This screening was closed on {}. What you wrote is kept, and a researcher can open it again."


class Newer(Conflict):
    """Another window has stored a newer version: it is in `stored`."""

    def __init__(self, stored: Response) -> None:
        super().__init__("Another window has stored a newer version of this answer.")
        self.stored = stored


def begin(labeler: Labeler) -> Sitting:
    """The candidate's sitting at the set that is open; the one they have, where they have begun before.

    Raises NotAllowed for who is not in screening, Conflict where no set is open.
    """
    if labeler.state != Labeler.State.SCREENING:
        raise NotAllowed("You are not in screening.")
    for _ in range(5):
        if there := Sitting.objects.filter(labeler=labeler).first():
            return there
        screening_set = ScreeningSet.objects.filter(is_open=True).first()
        if screening_set is None:
            raise Conflict("No screening is open at the moment; it will appear on your start page.")
        try:
            with transaction.atomic():
                return Sitting.objects.create(
                    labeler=labeler, screening_set=screening_set, label=_free_label(screening_set)
                )
        except IntegrityError:  # a second click, or somebody else was given the same label
            continue
    raise Conflict("Many candidates begin at this moment; please try again.")


def _free_label(screening_set: ScreeningSet) -> str:
    """A label that nobody has, drawn at random: it says neither who came first nor who it is, and never changes."""
    taken = set(Sitting.objects.filter(screening_set=screening_set).values_list("label", flat=True))
    for length in (1, 2, 3):
        letters = ["".join(name) for name in product(string.ascii_uppercase, repeat=length)]
        if free := [name for name in letters if name not in taken]:
            return secrets.choice(free)
    raise Conflict("This set has no room for another candidate.")


def steps(sitting: Sitting) -> list[tuple[ScreeningItem, Response | None]]:
    """Every item of the candidate's set in order, with what they said so far."""
    said = {response.item_id: response for response in sitting.responses.all()}
    return [(item, said.get(item.pk)) for item in asked(sitting.screening_set)]


def is_done(response: Response | None) -> bool:
    """Half a sentence that was saved by itself is not: the candidate has to go on from it."""
    return response is not None and response.is_done


def why_closed(sitting: Sitting) -> str:
    """Why nothing more is taken from this candidate, as a sentence; empty where they may go on."""
    if sitting.sent_in_at:
        return SENT_IN
    if not sitting.screening_set.is_open:
        closed_at = sitting.screening_set.closed_at
        return CLOSED.format(f"{closed_at:%-d %b %Y at %H:%M} UTC" if closed_at else "an earlier day")
    return ""


def save(sitting: Sitting, item: ScreeningItem, posted: Mapping[str, Any], base: int | None = None) -> Response:
    """Store what the candidate has said to this item so far.

    `base` is the revision that a page knows which saves by itself (0: none); the same words again are no new one.
    Without it the candidate goes on, and the step is done if the answer is whole.
    Raises BadInput for a text that is too long, Newer where `base` is not the stored revision, Conflict for answers
    that are sent in, and for a set that was closed: then what came is kept nevertheless.
    """
    value = answers.read(item.kind, item.parts, posted)
    with transaction.atomic():
        sitting = _locked(sitting)
        if sitting.sent_in_at:
            raise Conflict(SENT_IN)
        response = _put(sitting, item, value, base)
    if late := why_closed(sitting):
        raise Conflict(late)
    return response


def _put(sitting: Sitting, item: ScreeningItem, value: answers.Value, base: int | None) -> Response:
    goes_on = base is None
    done = goes_on and not answers.missing(item.kind, value)
    stored = Response.objects.filter(sitting=sitting, item=item).first()
    if stored is None:
        return Response.objects.create(sitting=sitting, item=item, value=value, is_done=done, revision=(base or 0) + 1)
    if stored.value == value and (stored.is_done or not goes_on):
        return stored
    if not goes_on and base != stored.revision:
        raise Newer(stored)
    stored.value, stored.is_done, stored.revision, stored.saved_at = value, done, stored.revision + 1, timezone.now()
    stored.save(update_fields=["value", "is_done", "revision", "saved_at"])
    return stored


def send_in(sitting: Sitting) -> Sitting:
    """The end of it: nothing can be changed afterwards. Raises BadInput while a step is not whole, Conflict where it
    was sent in before or the set is closed."""
    with transaction.atomic():
        sitting = _locked(sitting)
        if closed := why_closed(sitting):
            raise Conflict(closed)
        left = sum(not is_done(response) for _, response in steps(sitting))
        if left:
            raise BadInput(f"{left} {'step is' if left == 1 else 'steps are'} not finished yet.")
        sitting.sent_in_at = timezone.now()
        sitting.save(update_fields=["sent_in_at"])
    return sitting


def shown_order(item: ScreeningItem, who: object) -> list[int]:
    """The completions of an item in an order of one's own, always the same: position must not speak for one."""
    order = list(range(len(item.parts)))
    random.Random(f"{item.pk} {who}").shuffle(order)
    return order


def _locked(sitting: Sitting) -> Sitting:
    # Not the set's row: then every candidate would wait for every other.
    return Sitting.objects.select_for_update(of=("self",)).select_related("screening_set").get(pk=sitting.pk)
