"""Reading before working: who must, who has, and what a new version does."""

from typing import Any

import pytest

from labeling.errors import Conflict, NotAllowed
from labeling.guidelines.acknowledge import acknowledge, confirmed_before, standing, to_read
from labeling.guidelines.publish import current, publish
from labeling.labelers.enroll import enroll
from labeling.models import Acknowledgement, Cohort, Kind, Labeler, Purpose
from labeling.queue import dispatch
from tests.labeling.queue.test_races import all_at_once
from tests.people import make_user
from tests.work import writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer() -> Labeler:
    current(Purpose.TRAINING)
    return enroll(make_user("nina"), cohort=Cohort.TRAINING)


def test_a_newcomer_gets_work_only_after_confirming(newcomer: Labeler) -> None:
    writing_work(1)
    with pytest.raises(NotAllowed, match="read and confirm"):
        dispatch.claim(newcomer, Kind.DEMONSTRATE)
    acknowledge(newcomer, current(Purpose.TRAINING))
    assert dispatch.claim(newcomer, Kind.DEMONSTRATE)


def test_a_training_labeler_reads_one_and_a_held_out_labeler_both(newcomer: Labeler) -> None:
    assert [guideline.purpose for guideline in to_read(newcomer)] == ["training"]
    judge = enroll(make_user("hugo"), cohort=Cohort.HELD_OUT)
    assert [guideline.purpose for guideline in to_read(judge)] == ["evaluation", "training"]
    acknowledge(judge, current(Purpose.EVALUATION))
    assert judge.must_read
    acknowledge(judge, current(Purpose.TRAINING))
    assert not judge.must_read


def test_a_new_version_stops_work_of_those_under_it(labeler: Labeler, held_out_labeler: Labeler) -> None:
    publish(Purpose.EVALUATION, "Judge", "Better.")
    for person in (labeler, held_out_labeler):
        person.refresh_from_db()
    assert (labeler.must_read, held_out_labeler.must_read) == (False, True)


def test_only_the_newest_version_is_to_be_confirmed(labeler: Labeler) -> None:
    older, newer = (publish(Purpose.TRAINING, "Title", text) for text in ("Two.", "Three."))
    assert list(to_read(labeler)) == [newer]
    with pytest.raises(Conflict, match="newer version"):
        acknowledge(labeler, older)
    assert not Acknowledgement.objects.filter(guideline=older).exists()


def test_twice_is_once(newcomer: Labeler) -> None:
    for _ in range(2):
        acknowledge(newcomer, current(Purpose.TRAINING))
    assert Acknowledgement.objects.count() == 1


def test_the_version_that_a_labeler_knows(newcomer: Labeler) -> None:
    first = current(Purpose.TRAINING)
    assert confirmed_before(newcomer, first) is None
    acknowledge(newcomer, first)
    publish(Purpose.TRAINING, "Title", "Two.")  # never confirmed
    assert confirmed_before(newcomer, publish(Purpose.TRAINING, "Title", "Three.")) == first


def test_standing_counts_people_at_work(newcomer: Labeler, admin_user: Any) -> None:
    guideline = current(Purpose.TRAINING)
    enroll(make_user("robot"), cohort=Cohort.TRAINING, is_simulated=True)
    gone, ready = (enroll(make_user(name), cohort=Cohort.TRAINING) for name in ("gone", "ready"))
    Labeler.objects.filter(pk=gone.pk).update(state=Labeler.State.LEFT)
    acknowledge(ready, guideline)
    found = standing(guideline)
    assert (found.confirmed, list(found.missing), found.asked) == (1, [newcomer], 2)


@pytest.mark.django_db(transaction=True)
def test_confirming_while_a_version_comes_out_never_leaves_it_unread(newcomer: Labeler) -> None:
    first = current(Purpose.TRAINING)
    results = all_at_once([lambda: acknowledge(newcomer, first), lambda: publish(Purpose.TRAINING, "Title", "Two.")])
    assert not [result for result in results if isinstance(result, Exception) and not isinstance(result, Conflict)]
    newcomer.refresh_from_db()
    assert newcomer.must_read
