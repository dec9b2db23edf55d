"""Correcting an answer that was sent in, until it is frozen."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from labeling.demonstrations.submit import correct, submit
from labeling.errors import BadInput, Conflict, NotFound
from labeling.models import Assignment, Demonstration, Kind, Labeler
from labeling.queue import dispatch, drafts
from tests.work import writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(labeler: Labeler) -> Demonstration:
    writing_work(1, need=2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return submit(labeler, lease.pk, "Two, I think, is the answer.", use_case="open_qa", traits=["opinion"])


def test_the_new_words_stand_and_the_old_ones_are_kept(labeler: Labeler, done: Demonstration) -> None:
    correct(labeler, done.assignment_id, " Drei ist die richtige Antwort darauf. ", use_case="chat", traits=["advice"])
    row = Demonstration.objects.get()
    assert (row.text, row.use_case, row.traits) == ("Drei ist die richtige Antwort darauf.", "chat", ["advice"])
    assert row.language == "de"
    assert row.corrected_at is not None
    (before,) = row.earlier
    assert before.pop("until") == row.corrected_at.isoformat()
    assert before == {
        "text": "Two, I think, is the answer.",
        "use_case": "open_qa",
        "traits": ["opinion"],
        "language": "en",
    }
    assert row.created_at == done.created_at


def test_every_version_is_kept_oldest_first(labeler: Labeler, done: Demonstration) -> None:
    for text in ("Three.", "Four."):
        correct(labeler, done.assignment_id, text)
    row = Demonstration.objects.get()
    assert row.text == "Four."
    assert [version["text"] for version in row.earlier] == ["Two, I think, is the answer.", "Three."]


def test_the_same_again_is_no_correction(labeler: Labeler, done: Demonstration) -> None:
    correct(labeler, done.assignment_id, done.text, use_case="open_qa", traits=["opinion"])
    row = Demonstration.objects.get()
    assert (row.earlier, row.corrected_at) == ([], None)


def test_a_frozen_answer_stays(labeler: Labeler, done: Demonstration) -> None:
    Demonstration.objects.update(frozen_at=timezone.now())
    with pytest.raises(Conflict, match=r"became part of a dataset on .* and stays as it is"):
        correct(labeler, done.assignment_id, "Three.")
    assert Demonstration.objects.get().text == done.text


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "a\ud800b", "x" * 20_001])
def test_a_text_that_cannot_be_an_answer(labeler: Labeler, done: Demonstration, text: str) -> None:
    with pytest.raises(BadInput, match="Your answer"):
        correct(labeler, done.assignment_id, text)
    assert Demonstration.objects.get().text == done.text


@pytest.mark.parametrize("said", [{"use_case": "poetry"}, {"traits": ["opinion", "tall"]}])
def test_what_is_not_asked(labeler: Labeler, done: Demonstration, said: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        correct(labeler, done.assignment_id, "Three.", **said)
    assert Demonstration.objects.get().text == done.text


def test_nobody_corrects_somebody_else(second_labeler: Labeler, done: Demonstration) -> None:
    with pytest.raises(NotFound):
        correct(second_labeler, done.assignment_id, "Three.")


def test_there_is_nothing_to_correct_before_it_is_sent_in(labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    with pytest.raises(NotFound):
        correct(labeler, lease.pk, "Three.")
    assert Assignment.objects.get().state == Assignment.State.LEASED


def test_who_has_left_corrects_nothing(labeler: Labeler, done: Demonstration) -> None:
    labeler.state = Labeler.State.LEFT
    labeler.save()
    with pytest.raises(Conflict, match="left the project"):
        correct(labeler, done.assignment_id, "Three.")


def test_the_drafts_work_is_done(labeler: Labeler, done: Demonstration) -> None:
    drafts.save(labeler, done.assignment_id, [("text", "Thr")], drafts.revision_of(done.assignment))
    correct(labeler, done.assignment_id, "Three.")
    assert drafts.fields_of(Assignment.objects.get()) is None


@pytest.mark.django_db(transaction=True)
def test_a_freeze_that_is_under_way_comes_first(labeler: Labeler, done: Demonstration) -> None:
    refused: list[str] = []

    def try_to_correct() -> None:
        try:
            correct(labeler, done.assignment_id, "Three.")
        except Conflict as error:
            refused.append(error.sentence)
        finally:
            connection.close()

    with transaction.atomic():
        row = Demonstration.objects.select_for_update().get()  # as exports/freeze.py reads it
        other = threading.Thread(target=try_to_correct)
        other.start()
        other.join(0.5)
        assert other.is_alive(), "the correction did not wait for the freeze"
        Demonstration.objects.filter(pk=row.pk).update(frozen_at=timezone.now())
    other.join(10)
    assert len(refused) == 1
    assert Demonstration.objects.get().text == done.text
