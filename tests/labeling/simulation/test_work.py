"""Simulated labelers at the queue: the same doors, leases and rules as people."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Assignment, Cohort, Demonstration, Kind, Labeler, Ranking, WorkItem
from labeling.simulation.people import population
from labeling.simulation.work import do_one, work_until_idle
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db(transaction=True)


def simulate(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate_labelers", *arguments, "--until-idle", stdout=out)
    return out.getvalue()


def test_the_command_works_until_nothing_is_open() -> None:
    writing_work(5, need=2)
    ranking_work(4, need=3, texts=("one", "two", "three", "four", "five", "six"))
    assert simulate("--labelers", "4") == "4 simulated labelers made 22 labels.\n"  # 5 x 2 + 4 x 3
    assert (Demonstration.objects.count(), Ranking.objects.count()) == (10, 12)
    assert not WorkItem.objects.filter(is_open=True).exists()
    assert not Assignment.objects.filter(state=Assignment.State.LEASED).exists()
    assert all(ranking.places.count() == 6 for ranking in Ranking.objects.all())


def test_the_same_people_come_back() -> None:
    assert simulate("--labelers", "2", "--held-out", "1") == "3 simulated labelers made 0 labels.\n"
    before = set(Labeler.objects.values_list("pseudonym", "cohort"))
    simulate("--labelers", "2", "--held-out", "1")
    assert set(Labeler.objects.values_list("pseudonym", "cohort")) == before
    assert sorted(cohort for _, cohort in before) == [Cohort.HELD_OUT, Cohort.TRAINING, Cohort.TRAINING]


def test_nobody_works_for_the_other_cohort() -> None:
    writing_work(3, cohort=Cohort.TRAINING)
    assert simulate("--labelers", "0", "--held-out", "3") == "3 simulated labelers made 0 labels.\n"


def test_nobody_can_log_in_as_one_of_them() -> None:
    (person,) = population(training=1, held_out=0, seed=1)
    assert not person.labeler.user.check_password("!")
    assert not person.labeler.user.has_usable_password()


def test_a_paused_one_stops() -> None:
    writing_work(1)
    (person,) = population(training=1, held_out=0, seed=1)
    person.labeler.state = Labeler.State.PAUSED
    person.labeler.save()
    assert not do_one(person, Kind.DEMONSTRATE)
    assert not Demonstration.objects.exists()


def test_the_work_is_shared() -> None:
    writing_work(6)
    people = population(training=3, held_out=0, seed=1)
    assert work_until_idle(people, on_label=lambda: None) == 6
    assert [person.labeler.assignments.count() for person in people] == [2, 2, 2]


@pytest.mark.parametrize("labelers", ["0", "-1"])
def test_nobody_at_all_is_refused(labelers: str) -> None:
    with pytest.raises(CommandError, match="at least one labeler"):
        simulate("--labelers", labelers)
