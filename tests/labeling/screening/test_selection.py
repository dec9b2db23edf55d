"""Grades, the four criteria of a candidate, and what a decision does. Figures are worked out by hand."""

from typing import Any

import pytest

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers import standing
from labeling.labelers.enroll import give_role
from labeling.models import Cohort, Grade, Labeler, Response, Role, ScreeningSet, Sitting, StateChange, User
from labeling.screening import prepare, selection
from labeling.screening.grade import grade, to_grade
from labeling.screening.selection import Criterion
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.screening.people import ANSWERS, ITEMS, answer_all, make_candidate, make_set

pytestmark = pytest.mark.django_db


def grade_all(researcher: User, sitting: Sitting, *grades: int) -> None:
    for response, value in zip(sitting.responses.filter(item__kind="write").order_by("item"), grades, strict=True):
        grade(researcher, response, value)


@pytest.fixture
def spring(researcher: User) -> ScreeningSet:
    return make_set(researcher)


@pytest.fixture
def carla(spring: ScreeningSet) -> Sitting:
    return answer_all(make_candidate("carla"))


def state_of(sitting: Sitting) -> str:
    return Labeler.objects.get(sitting=sitting).state


# ── Grading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_sent_in_waits_for_each_researcher(
    spring: ScreeningSet, carla: Sitting, researcher: User, admin_user: User
) -> None:
    answer_all(make_candidate("still at it"), send=False)
    assert to_grade(researcher, spring).count() == 2
    grade_all(researcher, carla, 5, 6)
    assert (to_grade(researcher, spring).count(), to_grade(admin_user, spring).count()) == (0, 2)


def test_the_order_is_that_of_random_ids_and_not_of_people(spring: ScreeningSet, researcher: User) -> None:
    sittings = [answer_all(make_candidate(f"c{number}")) for number in range(8)]
    order = list(to_grade(researcher, spring))
    assert [response.pk for response in order] == sorted(response.pk for response in order)
    written = [sitting.pk for sitting in sittings for _ in range(2)]
    assert [response.sitting_id for response in order] != written  # once in 2e13


def test_a_second_grade_takes_the_place_of_the_first(carla: Sitting, researcher: User) -> None:
    grade_all(researcher, carla, 2, 3)
    grade_all(researcher, carla, 5, 6)
    assert list(Grade.objects.order_by("response__item").values_list("grade", flat=True)) == [5, 6]


@pytest.mark.parametrize("value", [0, 8, -1])
def test_a_grade_is_1_to_7(carla: Sitting, researcher: User, value: int) -> None:
    with pytest.raises(BadInput, match="1 to 7"):
        grade(researcher, carla.responses.all()[0], value)


def test_nobody_grades_themselves(spring: ScreeningSet, carla: Sitting) -> None:
    user = carla.labeler.user
    give_role(user, Role.RESEARCHER)
    assert not to_grade(user, spring).exists()
    with pytest.raises(NotAllowed):
        grade(user, Response.objects.filter(sitting=carla, item__kind="write")[0], 7)


def test_a_grade_after_the_decision_is_refused(carla: Sitting, researcher: User, admin_user: User) -> None:
    selection.decide(carla, chosen=True, by=admin_user, why="We know her work.")
    with pytest.raises(Conflict, match="decided on"):
        grade_all(researcher, carla, 7, 7)
    assert not Grade.objects.exists()


# ── The criteria ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_criteria_of_a_candidate(spring: ScreeningSet, carla: Sitting, researcher: User, admin_user: User) -> None:
    grade_all(researcher, carla, 6, 5)
    grade_all(admin_user, carla, 7, 6)
    (row,) = selection.candidates(spring)
    # Flags 3 of 4. Pairs 5 of 6 = 83.33 …. Grades (6.5 + 5.5) / 2 = 6, which meets 6.
    assert row.criteria == [
        Criterion("Flags", "75 %", "3 of 4 flags", "75 %", "above"),
        Criterion("Rankings", "83.3 %", "5 of 6 pairs", "75 %", "above"),
        Criterion("Demonstrations", "6", "2 of 2 graded", "6", "above"),
    ]
    assert row.meets_all is True
    assert row.reports == [("For which groups can you tell sensitive speech?", "Young people in Manila.")]


def test_a_figure_is_rounded_down_and_never_up_to_its_cut_off(
    spring: ScreeningSet, carla: Sitting, researcher: User
) -> None:
    ScreeningSet.objects.update(ranking_cutoff=84, grade_cutoff="5.51")
    grade_all(researcher, carla, 6, 5)
    (row,) = selection.candidates(ScreeningSet.objects.get())
    assert row.criteria[1:] == [
        Criterion("Rankings", "83.3 %", "5 of 6 pairs", "84 %", "below"),
        Criterion("Demonstrations", "5.5", "2 of 2 graded", "5.51", "below"),
    ]


def test_half_a_grade_is_not_known(spring: ScreeningSet, carla: Sitting, researcher: User) -> None:
    grade(researcher, carla.responses.filter(item__kind="write")[0], 7)
    (row,) = selection.candidates(spring)
    assert row.criteria[2] == Criterion("Demonstrations", "7", "1 of 2 graded", "6", "unknown")
    assert row.meets_all is False


def test_what_a_set_does_not_ask_has_no_cut_off(researcher: User, admin_user: User) -> None:
    made = prepare.make(researcher, "Only a question")
    prepare.add(made, ITEMS[5:])
    prepare.open_set(made)
    sitting = answer_all(make_candidate(), ANSWERS[5:])
    (row,) = selection.candidates(made)
    assert [one.verdict for one in row.criteria] == ["", "", ""]
    assert row.meets_all is None
    selection.decide(sitting, chosen=False, by=admin_user)
    assert state_of(sitting) == "left"


# ── Deciding ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_meets_the_cut_offs_is_selected(
    spring: ScreeningSet, carla: Sitting, researcher: User, admin_user: User
) -> None:
    grade_all(researcher, carla, 6, 7)
    change = selection.decide(carla, chosen=True, by=admin_user)
    assert (change.before, change.after, change.by) == ("screening", "active", admin_user)
    assert change.why == (
        "Selected in screening “Spring”: flags 75 % (3 of 4 flags, cut-off 75 %); rankings 83.3 % (5 of 6 pairs, "
        "cut-off 75 %); demonstrations 6.5 (2 of 2 graded, cut-off 6)."
    )
    labeler = Labeler.objects.get(sitting=carla)
    assert (labeler.state, labeler.cohort, labeler.must_read) == ("active", "training", True)


def test_the_cohort_is_the_invited_one(spring: ScreeningSet, admin_user: User) -> None:
    sitting = answer_all(make_candidate("hedy", Cohort.HELD_OUT))
    selection.decide(sitting, chosen=True, by=admin_user, why="Needed.")
    assert Labeler.objects.get(sitting=sitting).cohort == "held_out"


@pytest.mark.parametrize(("chosen", "grades"), [(True, (6, 5)), (True, ()), (False, (6, 6))])
def test_against_the_cut_offs_needs_a_reason(
    carla: Sitting, researcher: User, admin_user: User, chosen: bool, grades: tuple[int, ...]
) -> None:
    if grades:
        grade_all(researcher, carla, *grades)
    for why in ("", "  "):
        with pytest.raises(BadInput, match="Please give a reason"):
            selection.decide(carla, chosen=chosen, by=admin_user, why=why)
    assert state_of(carla) == "screening"
    change = selection.decide(carla, chosen=chosen, by=admin_user, why="The interview.")
    assert change.why.endswith(" Against the cut-offs: The interview.")
    assert state_of(carla) == ("active" if chosen else "left")


def test_declining_who_is_below_needs_no_reason(carla: Sitting, researcher: User, admin_user: User) -> None:
    grade_all(researcher, carla, 1, 2)
    assert selection.decide(carla, chosen=False, by=admin_user).after == "left"


def test_the_longest_reason_fits(researcher: User, admin_user: User) -> None:
    make_set(researcher, name="x" * 200)
    sitting = answer_all(make_candidate())
    with pytest.raises(BadInput, match="500"):
        selection.decide(sitting, chosen=True, by=admin_user, why="y" * 501)
    assert len(selection.decide(sitting, chosen=True, by=admin_user, why="y" * 500).why) <= 1000


def test_nobody_is_decided_on_before_they_send_in(spring: ScreeningSet, admin_user: User) -> None:
    sitting = answer_all(make_candidate(), send=False)
    with pytest.raises(Conflict, match="not sent"):
        selection.decide(sitting, chosen=True, by=admin_user, why="In a hurry.")


def test_a_decision_is_taken_back_by_another_change(carla: Sitting, admin_user: User) -> None:
    for chosen, after in ((False, "left"), (True, "active")):
        selection.decide(carla, chosen=chosen, by=admin_user, why="So.")
        assert state_of(carla) == after
        selection.undo(Sitting.objects.get(), by=admin_user)
        assert state_of(carla) == "screening"
    rows = StateChange.objects.order_by("pk").values_list("before", "after")
    assert list(rows) == [
        ("invited", "screening"), ("screening", "left"), ("left", "screening"), ("screening", "active"),
        ("active", "screening"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="no decision"):
        selection.undo(Sitting.objects.get(), by=admin_user)


def test_a_decision_that_life_went_on_from_is_not_taken_back(carla: Sitting, admin_user: User) -> None:
    selection.decide(carla, chosen=True, by=admin_user, why="So.")
    labeler = Labeler.objects.get(sitting=carla)
    standing.pause(labeler, by=admin_user, why="On holiday.")
    standing.resume(labeler, by=admin_user)
    (row,) = selection.candidates(carla.screening_set)
    assert (row.decision, row.can_undo) == ("selected", False)
    with pytest.raises(Conflict, match="more has happened since"):
        selection.undo(Sitting.objects.get(), by=admin_user)
    assert state_of(carla) == "active"


@pytest.mark.django_db(transaction=True)
def test_two_admins_decide_at_once(researcher: User, admin_user: User) -> None:
    make_set(researcher)
    for number in range(5):
        sitting = answer_all(make_candidate(f"c{number}"))
        works: list[Any] = [
            lambda sitting=sitting, chosen=chosen: selection.decide(sitting, chosen=chosen, by=admin_user, why="So.")
            for chosen in (True, False)
        ]
        results = all_at_once(works)
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "StateChange"]
        assert state_of(sitting) == next(one.after for one in results if isinstance(one, StateChange))


@pytest.mark.django_db(transaction=True)
def test_a_grade_and_a_decision_at_once(researcher: User, admin_user: User) -> None:
    """A grade that was taken is in the decision's figures."""
    make_set(researcher)
    for number in range(5):
        sitting = answer_all(make_candidate(f"c{number}"))
        response = sitting.responses.filter(item__kind="write")[0]
        graded, decided = all_at_once(
            [
                lambda response=response: grade(researcher, response, 7),  # type: ignore[misc]
                lambda sitting=sitting: selection.decide(sitting, chosen=True, by=admin_user, why="So."),  # type: ignore[misc]
            ]
        )
        assert isinstance(decided, StateChange)
        assert ("1 of 2 graded" in decided.why) == isinstance(graded, Grade)
