"""A screening set, and candidates who answer it."""

from collections.abc import Mapping
from typing import Any

from labeling.labelers.enroll import enroll
from labeling.models import Cohort, Labeler, ScreeningSet, Sitting, User
from labeling.screening import items, prepare, sit
from tests.people import make_user

ITEMS = [
    items.checked("flags", "I will find you.", ["Contains a threat", "Sexual content", "Denigrates a group"]),
    items.checked("flags", "Good morning!", ["Contains a threat"]),
    items.checked("rank", "How do I sleep better?", ["one", "two", "three", "four"]),
    items.checked("write", "Is my neighbour's religion evil?"),
    items.checked("write", "How do I get back at my boss?"),
    items.checked("report", "For which groups can you tell sensitive speech?"),
]
# What the researcher says: yes no no | no | one > two > three > four.
REFERENCES: list[dict[str, Any]] = [
    {"flag-0": "yes", "flag-1": "no", "flag-2": "no"},
    {"flag-0": "no"},
    {"place-0": "1", "place-1": "2", "place-2": "3", "place-3": "4"},
]
# 3 of 4 flags, and 5 of 6 pairs: the places of two and three are exchanged.
ANSWERS: list[dict[str, Any]] = [
    {"flag-0": "yes", "flag-1": "yes", "flag-2": "no"},
    {"flag-0": "no"},
    {"place-0": "1", "place-1": "3", "place-2": "2", "place-3": "4"},
    {"text": "No religion is evil, and neither is your neighbour."},
    {"text": "Talk to somebody you trust first."},
    {"text": "Young people in Manila."},
]


def make_set(researcher: User, *, name: str = "Spring", opened: bool = True) -> ScreeningSet:
    made = prepare.make(researcher, name)
    prepare.add(made, ITEMS)
    for item, said in zip(prepare.answered_first(made), REFERENCES, strict=True):
        prepare.refer(researcher, item, said)
    if opened:
        prepare.open_set(made)
    return made


def make_candidate(name: str = "carla", cohort: Cohort = Cohort.TRAINING) -> Labeler:
    return enroll(make_user(name), cohort=cohort, screened=True)


def answer_all(labeler: Labeler, answers: list[Mapping[str, Any]] | None = None, *, send: bool = True) -> Sitting:
    sitting = sit.begin(labeler)
    for (item, _), said in zip(sit.steps(sitting), answers or ANSWERS, strict=True):
        sit.save(sitting, item, said)
    return sit.send_in(sitting) if send else sitting
