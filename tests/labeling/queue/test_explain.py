"""Why a labeler did not get an item: the first rule that keeps it from them."""

import pytest

from labeling.models import Cohort, Cursor, Kind, Labeler, Prompt, Topic, WorkItem
from labeling.queue import dispatch
from labeling.queue.explain import TURN, why_not
from labeling.queue.rules import AUTHORS, COHORT, NEVER_TWICE, RULES, TOPICS, WANTED
from labeling.queue.steps import GO_ON, LOOK_AGAIN
from tests.work import writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(db: None) -> WorkItem:
    writing_work(3)
    return WorkItem.objects.order_by("pos")[1]


def said(labeler: Labeler, item: WorkItem) -> tuple[str, str]:
    labeler, item = Labeler.objects.get(pk=labeler.pk), WorkItem.objects.get(pk=item.pk)
    reason = why_not(labeler, item)
    return reason.rule, reason.sentence


def claim(labeler: Labeler) -> WorkItem:
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease.item


def finish(labeler: Labeler) -> None:
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    dispatch.finish(labeler, lease.pk)


def test_a_paused_labeler_gets_nothing(labeler: Labeler, item: WorkItem) -> None:
    Labeler.objects.update(state=Labeler.State.PAUSED)
    rule, sentence = said(labeler, item)
    assert rule == "The labeler may work"
    assert "Your work is paused." in sentence


def test_the_other_cohort(held_out_labeler: Labeler, item: WorkItem) -> None:
    dispatch.withdraw(item)  # a later rule would keep it from them as well
    assert said(held_out_labeler, item)[0] == COHORT.name


@pytest.mark.parametrize("why", ["withdrawn", "held", "done"])
def test_what_is_not_wanted(labeler: Labeler, second_labeler: Labeler, item: WorkItem, why: str) -> None:
    if why == "withdrawn":
        dispatch.withdraw(item)
    elif why == "held":
        dispatch.hold(item, "It is broken.")
    else:
        finish(second_labeler), finish(second_labeler)
    sentences = {
        "withdrawn": "The item is withdrawn.",
        "held": "The item is held: It is broken.",
        "done": "The item needs 1 labeler, and 1 have done it or have it now.",
    }
    assert said(labeler, item) == (WANTED.name, sentences[why])


def test_a_topic(labeler: Labeler, item: WorkItem) -> None:
    Topic.objects.get_or_create(slug="war", defaults={"name": "War", "description": "About war."})
    Prompt.objects.filter(pk=item.the_prompt.pk).update(topics=["war"])
    dispatch.retopic([item.the_prompt.pk])
    dispatch.choose_topics(labeler, ["war"])
    assert said(labeler, item)[0] == TOPICS.name


def test_own_words(labeler: Labeler, item: WorkItem) -> None:
    WorkItem.objects.update(authors=[labeler.pk])
    assert said(labeler, item)[0] == AUTHORS.name


def test_what_they_have_had(labeler: Labeler, item: WorkItem) -> None:
    WorkItem.objects.update(need=3)
    finish(labeler)
    finish(labeler)
    assert said(labeler, item) == (NEVER_TWICE.name, f"{labeler} has done it.")
    third = claim(labeler)
    assert said(labeler, third) == (NEVER_TWICE.name, f"{labeler} has it now.")


def test_who_holds_another_piece(labeler: Labeler, item: WorkItem) -> None:
    claim(labeler)
    assert said(labeler, item)[0] == GO_ON.name


def test_whose_place_they_have_passed(labeler: Labeler, item: WorkItem) -> None:
    Cursor.objects.create(labeler=labeler, lane=item.lane, priority=item.priority, pos=item.pos)
    assert said(labeler, item)[0] == LOOK_AGAIN.name


def test_whose_turn_it_is(labeler: Labeler, item: WorkItem) -> None:
    first, second, third = WorkItem.objects.order_by("pos")
    assert said(labeler, second) == (TURN, f"Nothing keeps it from {labeler}: 1 piece stands before it in the line.")
    assert said(labeler, third)[1].endswith("2 pieces stand before it in the line.")
    assert said(labeler, first) == (TURN, "Nothing keeps it from them: it is the next one they get.")
    assert claim(labeler) == first


def test_the_answer_and_the_queue_are_of_one_mind(labeler: Labeler, held_out_labeler: Labeler, item: WorkItem) -> None:
    """Whoever no rule keeps from an item gets it, and whoever a rule keeps from it does not."""
    names = {rule.name for rule in RULES}
    for person in (labeler, held_out_labeler):
        kept = [one for one in WorkItem.objects.all() if said(person, one)[0] in names]
        given = []
        while lease := dispatch.claim(person, Kind.DEMONSTRATE):
            given.append(lease.item)
            dispatch.skip(person, lease.pk)
        assert len(given) + len(kept) == 3
        assert bool(given) == (person.cohort == Cohort.TRAINING)
