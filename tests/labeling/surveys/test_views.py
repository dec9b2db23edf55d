"""The pages of surveys."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Labeler, Survey, SurveyMark, User
from labeling.surveys import hold
from tests.people import make_labeler

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(researcher: User) -> Survey:
    return hold.open_survey(researcher, "satisfaction", "The work, spring")


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def test_a_labeler_finds_it_answers_and_is_asked_no_more(lena: Client, survey: Survey) -> None:
    assert "The work, spring" in lena.get("/").content.decode()
    address = reverse("survey-answer", args=[survey.pk])
    page = lena.get(address).content.decode()
    assert "voluntary and anonymous" in page
    assert "I enjoyed the work." in page
    assert "counted" in lena.post(address, {"glad": "5", "clear": "4"}, follow=True).content.decode()
    assert "The work, spring" not in lena.get("/").content.decode()
    assert "You have answered this survey" in lena.get(address).content.decode()
    assert lena.post(address, {"glad": "1"}).status_code == 409


def test_it_can_be_put_away_and_found_again(lena: Client, survey: Survey) -> None:
    lena.post(reverse("survey-dismiss", args=[survey.pk]))
    assert "The work, spring" not in lena.get("/").content.decode()
    assert "The work, spring" in lena.get(reverse("my-surveys")).content.decode()


def test_nothing_ticked_says_so_and_a_bad_answer_keeps_the_ticks(lena: Client, survey: Survey) -> None:
    address = reverse("survey-answer", args=[survey.pk])
    empty = lena.post(address)
    assert empty.status_code == 422
    assert "Nothing is ticked yet" in empty.content.decode()
    bad = lena.post(address, {"clear": "2", "glad": "nine"})
    assert bad.status_code == 422
    assert 'id="clear-2" checked' in bad.content.decode()
    assert not SurveyMark.objects.exists()


def test_results_and_csv_obey_the_same_rule(client: Client, survey: Survey, researcher: User) -> None:
    """6 agree strongly, 3 agree, 1 disagrees: of the ten, the four are merged and then with them the six, so that
    nothing can be shown of 'glad'; 'clear' is 5 and 5."""
    client.force_login(researcher)
    results = reverse("survey-results", args=[survey.pk])
    ticks = ["5"] * 6 + ["4"] * 3 + ["2"]
    for n, tick in enumerate(ticks):
        if n == 4:
            assert "nothing to show" in client.get(results).content.decode()
        hold.answer(make_labeler(f"p{n}"), survey, {"glad": [tick], "clear": ["5" if n % 2 else "4"]})
    page = client.get(results).content.decode()
    assert "would single them out" in page
    lines = list(csv.DictReader(io.StringIO(client.get(reverse("survey-csv", args=[survey.pk])).content.decode())))
    assert not any("glad" in line["question"] for line in lines)
    clear = [line for line in lines if line["question"].startswith("The instructions") and line["count"] != "0"]
    assert [(line["choices"], line["count"], line["of"], line["percent"]) for line in clear] == [
        ("Strongly agree", "5", "10", "50.0"),
        ("Agree", "5", "10", "50.0"),
    ]
    assert not any(line["count"] in {"1", "2", "3", "4"} for line in lines)


def test_researchers_and_admins_open_and_close(client: Client, researcher: User, admin_user: User) -> None:
    for user, kind in ((researcher, "satisfaction"), (admin_user, "demographics")):
        client.force_login(user)
        answer = client.post(reverse("survey-list"), {"kind": kind, "title": f"About {kind}"}, follow=True)
        assert "labelers find it on their start page" in answer.content.decode()
        again = client.post(reverse("survey-list"), {"kind": kind, "title": "Again"})
        assert again.status_code == 422
        assert "Close it first" in again.content.decode()
        made = Survey.objects.get(kind=kind)
        client.post(reverse("survey-close", args=[made.pk]))
        made.refresh_from_db()
        assert made.closed_at is not None


def test_who_may_do_what(client: Client, survey: Survey, labeler: Labeler, researcher: User, stranger: User) -> None:
    office = [reverse("survey-list"), *(reverse(f"survey-{name}", args=[survey.pk]) for name in ("results", "csv"))]
    labelers = [reverse("my-surveys"), reverse("survey-answer", args=[survey.pk])]
    for address in [*office, *labelers]:
        assert client.get(address).headers["Location"].startswith("/accounts/login/")
    for user, refused in ((labeler.user, office), (researcher, labelers), (stranger, office + labelers)):
        client.force_login(user)
        for address in refused:
            assert client.get(address).status_code == 404
    client.force_login(labeler.user)
    assert client.post(reverse("survey-close", args=[survey.pk])).status_code == 404
    assert client.get(reverse("survey-dismiss", args=[survey.pk])).status_code == 405
    assert client.get(reverse("survey-answer", args=[999])).status_code == 404
