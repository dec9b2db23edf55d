"""A candidate begins, leaves, comes back, and sends in once."""

import pytest

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.models import Kind, Labeler, Response, Sitting, User
from labeling.queue import dispatch
from labeling.screening import prepare, sit
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.screening.people import ANSWERS, answer_all, make_candidate, make_set
from tests.work import writing_work

pytestmark = pytest.mark.django_db


def test_begin_is_once(researcher: User) -> None:
    make_set(researcher)
    labeler = make_candidate()
    assert sit.begin(labeler) == sit.begin(labeler) == Sitting.objects.get()


def test_begin_needs_an_open_set_and_a_candidate(researcher: User, labeler: Labeler) -> None:
    candidate = make_candidate()
    with pytest.raises(Conflict, match="No screening is open"):
        sit.begin(candidate)
    make_set(researcher)
    with pytest.raises(NotAllowed):
        sit.begin(labeler)


def test_a_candidate_gets_no_queue_work(researcher: User) -> None:
    make_set(researcher)
    writing_work(1)
    with pytest.raises(NotAllowed, match="screening"):
        dispatch.claim(make_candidate(), Kind.DEMONSTRATE)


def test_half_an_answer_is_kept(researcher: User) -> None:
    make_set(researcher)
    sitting = sit.begin(make_candidate())
    item, _ = sit.steps(sitting)[0]
    sit.save(sitting, item, {"flag-1": "no"})
    _, response = sit.steps(Sitting.objects.get())[0]
    assert response is not None and response.value == [None, False, None]
    assert not sit.is_done(response)
    with pytest.raises(BadInput, match="6 steps are not finished"):
        sit.send_in(sitting)


def test_what_is_sent_in_cannot_be_changed(researcher: User) -> None:
    make_set(researcher)
    sitting = answer_all(make_candidate())
    assert sitting.sent_in_at is not None
    item, before = sit.steps(sitting)[0]
    for door in (lambda: sit.save(sitting, item, {"flag-0": "no"}), lambda: sit.send_in(sitting)):
        with pytest.raises(Conflict, match="You have sent your answers in"):
            door()
    assert before is not None
    assert Response.objects.get(pk=before.pk).value == [True, True, False]


def test_half_a_sentence_that_saved_itself_is_not_done(researcher: User) -> None:
    make_set(researcher)
    sitting = answer_all(make_candidate(), send=False)
    item, _ = sit.steps(sitting)[3]
    sit.save(sitting, item, {"text": "No religion"}, 1)
    with pytest.raises(BadInput, match="1 step is not finished"):
        sit.send_in(sitting)
    sit.save(sitting, item, {"text": "No religion"})  # she goes on from it as it is
    assert sit.send_in(sitting).sent_in_at is not None


def test_windows_do_not_write_over_each_other(researcher: User) -> None:
    make_set(researcher)
    sitting = sit.begin(make_candidate())
    item, _ = sit.steps(sitting)[3]
    assert sit.save(sitting, item, {"text": "one"}, 0).revision == 1
    assert sit.save(sitting, item, {"text": "one"}, 0).revision == 1  # its answer was lost
    assert sit.save(sitting, item, {"text": "one more"}, 1).revision == 2
    with pytest.raises(sit.Newer) as newer:
        sit.save(sitting, item, {"text": "other"}, 1)
    assert newer.value.stored.value == "one more"
    assert Response.objects.get().value == "one more"


def test_what_comes_after_the_closing_is_kept_and_not_taken(researcher: User) -> None:
    made = make_set(researcher)
    sitting = answer_all(make_candidate(), send=False)
    prepare.close(made)
    sitting = Sitting.objects.select_related("screening_set").get()
    item, _ = sit.steps(sitting)[3]
    with pytest.raises(Conflict, match=r"was closed on .* is kept"):
        sit.save(sitting, item, {"text": "Late words."})
    assert Response.objects.get(item=item).value == "Late words."
    with pytest.raises(Conflict, match="was closed on"):
        sit.send_in(sitting)
    prepare.open_set(made)
    assert sit.send_in(sitting).sent_in_at is not None


def test_completions_come_in_an_order_of_ones_own_that_stays(researcher: User) -> None:
    made = make_set(researcher)
    item = prepare.answered_first(made)[2]
    orders = {tuple(sit.shown_order(item, number)) for number in range(40)}
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(orders) > 10  # of 24
    assert sit.shown_order(item, 1) == sit.shown_order(item, 1)


def test_labels_are_drawn_and_stay(researcher: User) -> None:
    make_set(researcher)
    labels = [sit.begin(make_candidate(f"c{number}")).label for number in range(28)]
    assert len(set(labels)) == 28
    assert sorted(labels[:26]) == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert labels[:26] != sorted(labels[:26])  # in the order they came: once in 4e26
    assert all(len(label) == 2 for label in labels[26:])


@pytest.mark.django_db(transaction=True)
def test_many_begin_at_once(researcher: User) -> None:
    make_set(researcher)
    one, *others = [make_candidate(f"c{number}") for number in range(6)]
    works = [lambda who=who: sit.begin(who) for who in [one, one, one, *others]]  # type: ignore[misc]
    results = all_at_once(works)  # type: ignore[arg-type]
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len({sitting.label for sitting in results}) == Sitting.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_sending_in_and_saving_at_once(researcher: User) -> None:
    """What is sent in stays as it was read: the save came before, or it is refused."""
    make_set(researcher)
    for number in range(5):
        sitting = answer_all(make_candidate(f"c{number}"), send=False)
        item, _ = sit.steps(sitting)[3]
        save = lambda sitting=sitting, item=item: sit.save(sitting, item, {"text": ""})  # noqa: E731
        saved, sent = all_at_once([save, lambda sitting=sitting: sit.send_in(sitting)])  # type: ignore[misc]
        stored = Response.objects.get(sitting=sitting, item=item).value
        assert (type(saved), type(sent), stored) in [
            (Response, BadInput, ""),
            (Conflict, Sitting, ANSWERS[3]["text"]),
        ]
