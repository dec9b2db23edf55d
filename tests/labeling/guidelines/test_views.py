"""The guidelines as pages: a labeler reads and confirms, a researcher publishes."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.guidelines.publish import current, publish
from labeling.labelers.enroll import enroll
from labeling.models import Acknowledgement, Cohort, Guideline, Labeler, Purpose, User
from tests.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Guideline:
    return current(Purpose.TRAINING)


@pytest.fixture
def newcomer(first: Guideline) -> Labeler:
    return enroll(make_user("nina"), cohort=Cohort.TRAINING)


@pytest.fixture
def nina(client: Client, newcomer: Labeler) -> Client:
    client.force_login(newcomer.user)
    return client


@pytest.fixture
def rosa(researcher: User) -> Client:
    client = Client()
    client.force_login(researcher)
    return client


def read(guideline: Guideline) -> str:
    return reverse("guideline-read", args=[guideline.pk])


def confirm(guideline: Guideline) -> str:
    return reverse("guideline-acknowledge", args=[guideline.pk])


# ── A labeler ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_reads_all_and_confirms(nina: Client, newcomer: Labeler, first: Guideline) -> None:
    page = nina.get(read(first)).content.decode()
    assert '<h2 dir="auto">Ranking answers</h2>' in page
    assert "What is new" not in page
    answer = nina.post(confirm(first))
    assert answer.headers["Location"] == reverse("home")
    newcomer.refresh_from_db()
    assert not newcomer.must_read
    page = nina.get(read(first)).content.decode()
    assert "You confirmed this version" in page
    assert confirm(first) not in page


def test_what_is_new_is_marked(nina: Client, first: Guideline) -> None:
    nina.post(confirm(first))
    second = publish(Purpose.TRAINING, first.title, first.body.replace("Ties are welcome.", "Ties are rare."))
    page = nina.get(read(second)).content.decode()
    assert "What is new since version 1, which you know" in page
    assert "<del>" in page
    assert "rare.**" in page[page.index("<ins>") : page.index("</ins>")]


def test_html_in_a_guideline_is_shown_and_not_obeyed(nina: Client, first: Guideline) -> None:
    nina.post(confirm(first))
    page = nina.get(read(publish(Purpose.TRAINING, "<i>T</i>", "<script>alert(1)</script>"))).content.decode()
    assert "<script>alert" not in page
    assert "<i>T</i>" not in page


def test_an_earlier_version_points_to_the_one_in_force(nina: Client, first: Guideline) -> None:
    second = publish(Purpose.TRAINING, "Title", "Two.")
    page = nina.get(read(first)).content.decode()
    assert read(second) in page
    assert confirm(first) not in page
    assert nina.post(confirm(first)).status_code == 409
    assert not Acknowledgement.objects.exists()


def test_confirming_twice_is_once(nina: Client, first: Guideline) -> None:
    assert {nina.post(confirm(first)).status_code for _ in range(2)} == {302}
    assert Acknowledgement.objects.count() == 1


def test_confirming_goes_on_to_where_the_labeler_came_from(nina: Client, first: Guideline) -> None:
    page = nina.get(read(first), {"next": "/write/0/"}).content.decode()
    assert '<input type="hidden" name="next" value="/write/0/">' in page
    assert nina.post(confirm(first), {"next": "/write/0/"}).headers["Location"] == "/write/0/"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"])
def test_confirming_leads_nobody_elsewhere(nina: Client, first: Guideline, address: str) -> None:
    assert "evil" not in nina.get(read(first), {"next": address}).content.decode()
    assert nina.post(confirm(first), {"next": address}).headers["Location"] == reverse("home")


def test_a_held_out_labeler_goes_from_one_to_the_other(client: Client, first: Guideline) -> None:
    judge = enroll(make_user("hugo"), cohort=Cohort.HELD_OUT)
    client.force_login(judge.user)
    answer = client.post(confirm(first), {"next": "/rank/0/"})
    assert answer.headers["Location"] == f"{read(current(Purpose.EVALUATION))}?next=%2Frank%2F0%2F"


def test_guidelines_of_the_other_purpose_are_not_there(nina: Client) -> None:
    other = current(Purpose.EVALUATION)
    assert nina.get(read(other)).status_code == 404
    assert nina.post(confirm(other)).status_code == 404
    assert not Acknowledgement.objects.exists()


def test_my_guidelines_say_what_is_to_be_confirmed(nina: Client, first: Guideline) -> None:
    assert "to read and confirm" in nina.get(reverse("guideline-list")).content.decode()
    nina.post(confirm(first))
    page = nina.get(reverse("guideline-list")).content.decode()
    assert "to read and confirm" not in page
    assert read(first) in page
    assert reverse("guideline-publish", args=["training"]) not in page


# ── A researcher ────────────────────────────────────────────────────────────────────────────────────────────────────


def new_text(**changes: object) -> dict[str, object]:
    return {"title": "How to write", "body": "Write *well*.", "after": 1, **changes}


def test_the_list_says_who_has_confirmed(rosa: Client, newcomer: Labeler, labeler: Labeler, first: Guideline) -> None:
    Acknowledgement.objects.get_or_create(labeler=labeler, guideline=first)
    page = rosa.get(reverse("guideline-list")).content.decode()
    assert "1 of 2 active labelers have confirmed it" in page
    assert newcomer.pseudonym in page
    assert labeler.pseudonym not in page
    assert newcomer.user.name not in page


def test_publishing_makes_labelers_read_again(rosa: Client, labeler: Labeler, first: Guideline) -> None:
    form = rosa.get(reverse("guideline-publish", args=["training"])).content.decode()
    assert "1 active labeler must read and confirm it" in form
    assert first.body.splitlines()[0] in form
    answer = rosa.post(reverse("guideline-publish", args=["training"]), new_text())
    assert answer.headers["Location"] == reverse("guideline-list")
    labeler.refresh_from_db()
    assert (labeler.must_read, current(Purpose.TRAINING).body) == (True, "Write *well*.")


def test_a_preview_publishes_nothing(rosa: Client, first: Guideline) -> None:
    page = rosa.post(reverse("guideline-publish", args=["training"]), new_text(preview="1", title=""))
    assert page.status_code == 200
    assert "<em>well</em>" in page.content.decode()
    part = rosa.post(
        reverse("guideline-publish", args=["training"]), new_text(preview="1"), headers={"HX-Request": "true"}
    )
    assert part.content.decode().strip().startswith('<section id="preview"')
    assert Guideline.objects.filter(purpose="training").count() == 1


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"body": "  \n "}, 422, "required"),
        ({"body": "x" * 20_001}, 422, "has 20,001 characters"),
        ({"title": ""}, 422, "required"),
        ({"body": "a\0b"}, 422, "Null characters"),
        ({"after": "x"}, 422, "whole number"),
        ({"after": 0}, 409, "Somebody has published version 1 meanwhile"),
    ],
)
def test_what_cannot_be_published_says_why_and_keeps_the_words(
    rosa: Client, first: Guideline, change: dict[str, object], status: int, sentence: str
) -> None:
    answer = rosa.post(reverse("guideline-publish", args=["training"]), new_text(**change))
    page = answer.content.decode()
    assert answer.status_code == status
    assert sentence in page
    assert change.get("title", "How to write") in page
    assert Guideline.objects.filter(purpose="training").count() == 1


def test_publishing_twice_is_refused_the_second_time(rosa: Client, first: Guideline) -> None:
    address = reverse("guideline-publish", args=["training"])
    assert rosa.post(address, new_text()).status_code == 302
    assert rosa.post(address, new_text()).status_code == 409
    assert "Nothing has changed" in rosa.post(address, new_text(after=2)).content.decode()
    assert current(Purpose.TRAINING).version == 2


def test_a_researcher_reads_every_version_but_confirms_none(rosa: Client, first: Guideline) -> None:
    second = publish(Purpose.TRAINING, first.title, first.body + "\n\nBe well.")
    page = rosa.get(read(second)).content.decode()
    assert "What is new since version 1" in page
    assert confirm(second) not in page
    assert rosa.post(confirm(second)).status_code == 404


# ── Everybody else ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_others_find_nothing(first: Guideline, stranger: User, admin_user: User, newcomer: Labeler) -> None:
    publishing = reverse("guideline-publish", args=["training"])
    doors = [("get", reverse("guideline-list")), ("get", read(first)), ("post", confirm(first)), ("get", publishing)]
    for method, door in doors:
        client = Client()
        assert getattr(client, method)(door).headers["Location"].startswith("/accounts/login/")
        client.force_login(stranger)
        assert getattr(client, method)(door).status_code == 404
        client.force_login(admin_user)  # who reads what labelers work under, and changes nothing
        may_read = door in (reverse("guideline-list"), read(first))
        assert getattr(client, method)(door).status_code == (200 if may_read else 404)
    client.force_login(newcomer.user)
    assert client.post(publishing, new_text()).status_code == 404
    assert Guideline.objects.filter(purpose="training").count() == 1


def test_unknown_things_and_wrong_methods(rosa: Client, nina: Client, first: Guideline) -> None:
    assert nina.get("/guidelines/999/").status_code == 404
    assert rosa.get("/guidelines/publish/fun/").status_code == 404
    assert nina.get(confirm(first)).status_code == 405
    assert nina.post(read(first)).status_code == 405
    assert rosa.put(reverse("guideline-publish", args=["training"])).status_code == 405
    assert not Acknowledgement.objects.exists()
