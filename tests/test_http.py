"""What every view shares: who is logged out, and what becomes of words whose token was stale."""

import pytest
from django.http import QueryDict
from django.test import Client

from config.http import words_of
from labeling.models import Labeler

pytestmark = pytest.mark.django_db

LOGGED_OUT = {"error": "You are logged out.", "code": "logged-out", "login": "/accounts/login/"}


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"}])
def test_a_script_is_told_that_nobody_is_logged_in(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/rounds/", headers=headers)
    assert (answer.status_code, answer.json()) == (401, LOGGED_OUT)


@pytest.mark.parametrize(
    "headers", [{}, {"Accept": "text/html,*/*"}, {"HX-Request": "true", "HX-History-Restore-Request": "true"}]
)
def test_a_person_goes_to_the_log_in_page(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/rounds/", headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/rounds/")


@pytest.mark.parametrize(
    ("headers", "has_frame", "has_main"),
    [
        ({}, True, True),
        ({"HX-Request": "true", "HX-Target": "main"}, False, True),
        ({"HX-Request": "true", "HX-Target": "lease"}, False, False),
    ],
)
def test_an_error_comes_in_the_shape_that_is_asked_for(
    client: Client, labeler: Labeler, headers: dict[str, str], has_frame: bool, has_main: bool
) -> None:
    Labeler.objects.update(state=Labeler.State.PAUSED)
    client.force_login(labeler.user)
    answer = client.post("/work/next/rank/", headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Your work is paused." in page
    assert ("<html" in page, 'id="main"' in page) == (has_frame, has_main)


@pytest.fixture
def strict(labeler: Labeler) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(labeler.user)
    return client


def test_a_stale_token_gives_the_words_back(strict: Client) -> None:
    answer = strict.post("/work/next/rank/", {"text": "Hours", "rationale": "<i>of</i> work", "place-1": "3"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Please send that again" in page
    assert "Hours\n\n&lt;i&gt;of&lt;/i&gt; work</textarea>" in page


def test_a_stale_token_never_shows_a_password(strict: Client) -> None:
    page = strict.post("/accounts/login/", {"login": "a@b.c", "password": "correct horse battery"}).content.decode()
    assert "Please send that again" in page
    assert "horse" not in page
    assert "<textarea" not in page


def test_a_script_is_told_of_a_stale_token(strict: Client) -> None:
    answer = strict.post("/work/next/rank/", {"text": "Hours"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


def test_a_script_without_any_cookie_is_told_to_log_in(db: None) -> None:
    nobody = Client(enforce_csrf_checks=True)
    for headers in ({"Accept": "application/json"}, {"HX-Request": "true"}):
        answer = nobody.post("/work/next/rank/", {"text": "Hours"}, headers=headers)
        assert (answer.status_code, answer.json()) == (401, LOGGED_OUT)


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ("text=Two.", "Two."),
        ("text=++", ""),
        ("use_case=open_qa&place-1=2&rationale=too+long&query=one+two", "too long\n\none two"),
        ("password1=a+b&old_password=c+d", ""),
        ("", ""),
    ],
)
def test_words_are_what_somebody_wrote(posted: str, words: str) -> None:
    assert words_of(QueryDict(posted)) == words
