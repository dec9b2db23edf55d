"""Simulated labelers at work: they claim, write, rank and submit through the same doors as people."""

import time
from collections.abc import Callable, Sequence

from labeling.demonstrations.submit import submit as submit_demonstration
from labeling.errors import Conflict, NotAllowed
from labeling.queue import dispatch
from labeling.queue.models import Assignment, Kind
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit as submit_ranking
from labeling.simulation.people import Person

OnLabel = Callable[[], None]


KINDS = (Kind.DEMONSTRATE, Kind.RANK)  # what a simulated labeler can do


def work_until_idle(people: Sequence[Person], kinds: Sequence[str] = KINDS, *, on_label: OnLabel) -> int:
    """Everybody takes one item after the other, in turn, until nothing is open for anybody; how many labels it was."""
    made = 0
    busy = [(person, kind) for person in people for kind in kinds]
    while busy:
        still_busy = []
        for person, kind in busy:
            if do_one(person, kind):
                made += 1
                on_label()
                still_busy.append((person, kind))
        busy = still_busy
    return made


def do_one(person: Person, kind: str) -> bool:
    """One item of this kind, from claim to submission; False where none is open for this person."""
    try:
        assignment = dispatch.claim(person.labeler, kind)
        if assignment is None:
            return False
        (_rank if kind == Kind.RANK else _write)(person, assignment)
    except Conflict:  # somebody else was faster, or the lease ran out meanwhile: on to the next
        time.sleep(0.01)
    except NotAllowed:  # an admin has paused this labeler
        return False
    return True


def _write(person: Person, assignment: Assignment) -> None:
    submit_demonstration(person.labeler, assignment.pk, person.mind.write(assignment.item.the_prompt.text))


def _rank(person: Person, assignment: Assignment) -> None:
    shown = cards(assignment)
    places = person.mind.place(assignment.item.the_prompt.text, [card.text for card in shown])
    numbered = {card.number: place for card, place in zip(shown, places, strict=True)}
    submit_ranking(person.labeler, assignment.pk, numbered)
