"""The rubric's page: what is asked, and the next version of it."""

import pytest
from django.test import Client

from labeling.models import Kind, Labeler, Rubric, User
from labeling.rubrics.publish import current
from tests.work import make_batch

pytestmark = pytest.mark.django_db
LIST, PUBLISH = "/rubric/", "/rubric/publish/"
SOME = {"ratings": "required", "flags": ["violent", "fails-task"], "traits": ["advice"]}


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def test_the_page_shows_what_is_asked_now(rosa: Client) -> None:
    page = rosa.get(LIST).content.decode()
    assert "Version 1 is in force" in page
    assert page.count(" checked") == 1 + 11 + 11  # ratings; Tables 3 and 7 of the paper have eleven rows each
    assert "Earlier versions" not in page


def test_publishing_is_for_the_next_batches(rosa: Client) -> None:
    before = make_batch(Kind.RANK)
    assert rosa.post(PUBLISH, SOME).headers["Location"] == LIST
    rubric = current()
    assert (rubric.version, rubric.ratings) == (2, "required")
    assert [flag["key"] for flag in rubric.flags] == ["fails-task", "violent"]
    assert [trait["key"] for trait in rubric.traits] == ["advice"]
    before.refresh_from_db()
    assert (before.rubric.version, make_batch(Kind.RANK).rubric) == (1, rubric)
    page = rosa.get(LIST).content.decode()
    assert page[: page.index("Earlier versions")].count(" checked") == 1 + 2 + 1
    assert "Publish version 3" in page


def test_nothing_may_be_asked_at_all(rosa: Client) -> None:
    rosa.post(PUBLISH, {"ratings": "off"})
    assert (current().ratings, current().flags, current().traits) == ("off", [], [])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ratings": "always"}, "valid choice"),
        ({"ratings": ""}, "required"),
        ({"flags": ["unknown"]}, "valid choice"),
        ({"traits": ["violent"]}, "valid choice"),
    ],
)
def test_what_is_no_rubric_is_refused(rosa: Client, change: dict[str, object], sentence: str) -> None:
    answer = rosa.post(PUBLISH, {**SOME, **change})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Rubric.objects.filter(version=2).exists()


def test_a_second_click_publishes_nothing(rosa: Client) -> None:
    rosa.post(PUBLISH, SOME)
    answer = rosa.post(PUBLISH, {**SOME, "flags": ["fails-task", "violent"]})
    assert answer.status_code == 422
    assert "Nothing has changed" in answer.content.decode()
    assert current().version == 2


def test_others_find_nothing(client: Client, labeler: Labeler, admin_user: User, stranger: User) -> None:
    for method, door in (("get", LIST), ("post", PUBLISH)):
        client.logout()
        assert getattr(client, method)(door).headers["Location"].startswith("/accounts/login/")
        for user in (labeler.user, admin_user, stranger):
            client.force_login(user)
            assert getattr(client, method)(door, SOME).status_code == 404
    assert not Rubric.objects.filter(version=2).exists()


def test_wrong_methods(rosa: Client) -> None:
    assert rosa.get(PUBLISH).status_code == 405
    assert rosa.post(LIST).status_code == 405
