"""Sending in an answer of one's own."""

import pytest

from labeling.demonstrations.submit import submit
from labeling.errors import BadInput, Conflict, NotFound
from labeling.models import Assignment, Demonstration, Kind, Labeler, WorkItem
from labeling.queue import dispatch
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(1, need=2)
    return dispatch.claim(labeler, Kind.DEMONSTRATE)


def test_the_answer_is_stored_with_everything_it_needs(labeler: Labeler, lease: Assignment) -> None:
    demonstration = submit(labeler, lease.pk, "  Two,\r\nof course. ")
    assert demonstration.text == "Two,\nof course."
    assert (demonstration.labeler, demonstration.assignment_id) == (labeler, lease.pk)
    assert demonstration.prompt == lease.item.prompt
    assert demonstration.guideline == lease.item.batch.guideline
    lease.refresh_from_db()
    assert lease.state == Assignment.State.DONE
    assert WorkItem.objects.get().done == 1


@pytest.mark.parametrize("text", ["", "  \n ", "a\0b", "a\udfffb", "x" * 20_001])
def test_a_text_that_cannot_be_an_answer_leaves_the_lease(labeler: Labeler, lease: Assignment, text: str) -> None:
    with pytest.raises(BadInput, match="Your answer"):
        submit(labeler, lease.pk, text)
    assert Demonstration.objects.count() == 0
    assert WorkItem.objects.get().done == 0
    assert submit(labeler, lease.pk, "Two.").text == "Two."


def test_the_first_answer_is_kept(labeler: Labeler, lease: Assignment) -> None:
    submit(labeler, lease.pk, "Two.")
    with pytest.raises(Conflict, match="The first version was kept"):
        submit(labeler, lease.pk, "Three.")
    assert Demonstration.objects.get().text == "Two."
    assert WorkItem.objects.get().done == 1


def test_nobody_answers_for_somebody_else(second_labeler: Labeler, lease: Assignment) -> None:
    with pytest.raises(NotFound):
        submit(second_labeler, lease.pk, "Two.")
    assert Demonstration.objects.count() == 0


def test_a_ranking_is_not_answered_by_a_text(labeler: Labeler) -> None:
    ranking_work()
    with pytest.raises(NotFound):
        submit(labeler, dispatch.claim(labeler, Kind.RANK).pk, "Two.")


def test_what_is_said_of_the_prompt_is_stored(labeler: Labeler, lease: Assignment) -> None:
    text = "Deux est la bonne réponse à cette question."
    demonstration = submit(labeler, lease.pk, text, use_case="closed_qa", traits=["advice", "ambiguous", "advice"])
    demonstration.refresh_from_db()
    assert (demonstration.use_case, demonstration.traits) == ("closed_qa", ["ambiguous", "advice"])
    assert demonstration.language == "fr"
    assert demonstration.rubric == lease.item.batch.rubric


def test_nothing_needs_to_be_said_of_the_prompt(labeler: Labeler, lease: Assignment) -> None:
    demonstration = submit(labeler, lease.pk, "Two.")
    assert (demonstration.use_case, demonstration.traits, demonstration.language) == ("", [], "")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"use_case": "poetry"}, "no use case “poetry”"),
        ({"traits": ["ambiguous", "tall"]}, "Nothing called “tall”"),
        ({"traits": ["fails-task"]}, "Nothing called “fails-task”"),  # a flag of completions
        ({"traits": ["\0"]}, "Nothing called"),
    ],
)
def test_what_is_not_asked_leaves_the_lease(
    labeler: Labeler, lease: Assignment, said: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        submit(labeler, lease.pk, "Two.", **said)
    assert Demonstration.objects.count() == 0
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED


def test_a_trait_that_this_rubric_does_not_ask_is_refused(labeler: Labeler, lease: Assignment) -> None:
    rubric = lease.item.batch.rubric
    rubric.traits = [trait for trait in rubric.traits if trait["key"] != "advice"]
    rubric.save()
    with pytest.raises(BadInput, match="advice"):
        submit(labeler, lease.pk, "Two.", traits=["advice"])
