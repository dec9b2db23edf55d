"""Opening, answering, closing; and that nothing says who answered what."""

import pytest
from django.db import connection

from labeling.errors import BadInput, Conflict
from labeling.models import Cohort, Labeler, Survey, SurveyCount, SurveyMark, User
from labeling.surveys import hold
from labeling.surveys.results import results
from tests.labeling.queue.test_races import all_at_once
from tests.people import make_labeler

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(researcher: User) -> Survey:
    return hold.open_survey(researcher, "satisfaction", "The work, spring")


def people(count: int, start: int = 0) -> list[Labeler]:
    return [make_labeler(f"person{n}") for n in range(start, start + count)]


def glad(survey: Survey) -> dict[str, int | None]:
    found = next(result for result in results(survey) if result.question["key"] == "glad")
    return {cell.words: cell.count for cell in found.cells if cell.count}


def test_answers_are_counted_and_shown_from_five_up(survey: Survey) -> None:
    for labeler in people(4):
        hold.answer(labeler, survey, {"glad": ["5"]})
    survey.refresh_from_db()
    assert (survey.shown, survey.waiting, glad(survey)) == (0, 4, {})
    hold.answer(make_labeler("fifth"), survey, {"glad": ["5"]})
    survey.refresh_from_db()
    assert (survey.shown, survey.waiting, glad(survey)) == (5, 0, {"Strongly agree": 5})


def test_one_more_answer_changes_nothing_that_is_shown(survey: Survey) -> None:
    """Whoever looks before and after one answer learns nothing of it; the tenth brings five at once."""
    for labeler in people(5):
        hold.answer(labeler, survey, {"glad": ["5"]})
    survey.refresh_from_db()
    before = results(survey)
    for n in range(4):
        hold.answer(make_labeler(f"later{n}"), survey, {"glad": ["1"], "clear": ["3"]})
        survey.refresh_from_db()
        assert results(survey) == before
    hold.answer(make_labeler("tenth"), survey, {"glad": ["1"]})
    survey.refresh_from_db()
    assert glad(survey) == {"Strongly agree": 5, "Strongly disagree": 5}


def test_the_last_few_are_never_shown(survey: Survey) -> None:
    for labeler in people(7):
        hold.answer(labeler, survey, {"glad": ["5"]})
    hold.close(survey)
    survey.refresh_from_db()
    assert survey.shown == 5


def test_no_row_links_an_answer_to_a_labeler() -> None:
    """The counters know no labeler, the marks no choice, and neither a time; a mark's id is drawn at random."""
    counter = {field.name for field in SurveyCount._meta.get_fields()}
    mark = {field.name for field in SurveyMark._meta.get_fields()}
    assert counter == {"id", "survey", "question", "choice", "waiting", "shown"}
    assert mark == {"id", "survey", "labeler", "has_answered"}
    assert SurveyMark._meta.pk.get_internal_type() == "UUIDField"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_name LIKE 'labeling_survey%%' AND data_type LIKE 'timestamp%%' ORDER BY 1, 2"
        )
        assert cursor.fetchall() == [("labeling_survey", "closed_at"), ("labeling_survey", "opened_at")]


def test_a_second_answer_is_refused_and_counts_nothing(survey: Survey, labeler: Labeler) -> None:
    hold.answer(labeler, survey, {"glad": ["5"]})
    with pytest.raises(Conflict, match="already"):
        hold.answer(labeler, survey, {"glad": ["1"]})
    assert dict(SurveyCount.objects.filter(question="glad").values_list("choice", "waiting")) == {"5": 1}


@pytest.mark.django_db(transaction=True)
def test_two_windows_count_once_and_ten_people_ten_times(survey: Survey) -> None:
    asked = people(10)
    twice = [lambda who=who: hold.answer(who, survey, {"glad": ["4"]}) for who in asked for _ in range(2)]
    outcomes = all_at_once(twice)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 10
    survey.refresh_from_db()
    assert (survey.shown, survey.waiting) == (10, 0)
    assert SurveyCount.objects.get(question="glad", choice="4").shown == 10


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"glad": []},
        {"unknown": ["5"]},
        {"glad": ["6"]},
        {"glad": ["5", "4"]},
        {"glad": ["\0"]},
    ],
)
def test_nonsense_is_refused_and_counts_nothing(
    survey: Survey, labeler: Labeler, answers: dict[str, list[str]]
) -> None:
    with pytest.raises(BadInput):
        hold.answer(labeler, survey, answers)
    assert not SurveyCount.objects.exists()
    assert not SurveyMark.objects.exists()


def test_several_origins_may_be_ticked_but_not_beside_none(researcher: User, labeler: Labeler) -> None:
    survey = hold.open_survey(researcher, "demographics", "Who we are")
    with pytest.raises(BadInput, match="does not go with"):
        hold.answer(labeler, survey, {"ethnicity": ["white", "not-said"]})
    hold.answer(labeler, survey, {"ethnicity": ["white", "black"]})
    counted = SurveyCount.objects.filter(question="ethnicity").values_list("choice", "waiting")
    assert dict(counted) == {"white": 1, "black": 1}


def test_an_invitation_can_be_put_away_and_still_be_answered(survey: Survey, labeler: Labeler) -> None:
    assert list(hold.invitations(labeler)) == [survey]
    hold.dismiss(labeler, survey)
    hold.dismiss(labeler, survey)
    assert list(hold.invitations(labeler)) == []
    assert list(hold.open_to(labeler)) == [survey]
    hold.answer(labeler, survey, {"glad": ["3"]})
    hold.dismiss(labeler, survey)
    assert SurveyMark.objects.get().has_answered


def test_one_survey_of_a_kind_is_open_at_a_time(survey: Survey, researcher: User, labeler: Labeler) -> None:
    with pytest.raises(Conflict, match="Close it first"):
        hold.open_survey(researcher, "satisfaction", "Again")
    hold.close(survey)
    hold.close(survey)
    with pytest.raises(Conflict, match="not open"):
        hold.answer(labeler, survey, {"glad": ["5"]})
    assert hold.open_survey(researcher, "satisfaction", "Again").closed_at is None
    for kind, title in (("nonsense", "Title"), ("demographics", " ")):
        with pytest.raises(BadInput):
            hold.open_survey(researcher, kind, title)


def test_who_is_invited(survey: Survey, labeler: Labeler) -> None:
    held_out = make_labeler("hana", Cohort.HELD_OUT)
    for state, invited in (("paused", True), ("left", False), ("screening", False), ("active", True)):
        labeler.state = state
        assert hold.invitations(labeler).exists() == invited, state
    assert hold.invitations(held_out).exists()
    labeler.is_simulated = True
    assert not hold.invitations(labeler).exists()
