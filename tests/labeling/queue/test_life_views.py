"""What a work page's scripts ask for: keep this draft, I am at work, keep my lease."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import ActiveSpan, Assignment, Draft, Kind, Labeler, User
from labeling.queue import dispatch
from tests.work import writing_work

JSON = {"Accept": "application/json"}
DOORS = ("assignment-draft", "assignment-active", "assignment-renew")


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(2, need=2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease


def address(lease: Assignment, base: object = 0) -> str:
    return reverse("assignment-draft", args=[lease.pk]) + f"?base={base}"


# ── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_stored(lena: Client, lease: Assignment) -> None:
    answer = lena.post(address(lease), {"text": "Half an ans", "traits": ["a", "b"]}, headers=JSON)
    draft = Draft.objects.get()
    assert answer.json() == {"revision": 1, "saved_at": draft.saved_at.isoformat()}
    assert draft.content == '[["text","Half an ans"],["traits","a"],["traits","b"]]'


def test_a_newer_one_is_told_with_its_words(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), {"text": "first"}, headers=JSON)
    answer = lena.post(address(lease), {"text": "second"}, headers=JSON)
    assert answer.status_code == 409
    told = answer.json()
    assert (told["revision"], told["fields"]) == (1, [["text", "first"]])
    assert "Another window" in told["error"]
    assert "second" not in Draft.objects.get().content


def test_the_page_comes_with_the_draft_and_its_revision(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), {"text": "Half an ans"}, headers=JSON)
    page = lena.get(reverse("demonstration-write", args=[lease.pk])).content.decode()
    assert "Half an ans" in page
    assert 'data-revision="1"' in page


@pytest.mark.parametrize("base", ["", "-1", "x", "1.5", "²", "9" * 40])
def test_a_draft_names_its_revision(lena: Client, lease: Assignment, base: str) -> None:
    answer = lena.post(address(lease, base), {"text": "words"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-input")
    assert not Draft.objects.exists()


def test_a_draft_without_a_revision_is_refused(lena: Client, lease: Assignment) -> None:
    assert lena.post(reverse("assignment-draft", args=[lease.pk]), {"text": "words"}).status_code == 422


def test_a_nul_and_broken_bytes_are_kept_as_a_form_would_bring_them(lena: Client, lease: Assignment) -> None:
    body = "text=a%00b%ED%A0%80c"  # half of a character, in bytes
    kind = "application/x-www-form-urlencoded"
    assert lena.post(address(lease), body, content_type=kind, headers=JSON).status_code == 200
    page = lena.get(reverse("demonstration-write", args=[lease.pk]))
    assert page.status_code == 200
    assert "a\0b" in page.content.decode()


def test_a_draft_of_more_than_a_megabyte_is_refused(lena: Client, lease: Assignment) -> None:
    answer = lena.post(address(lease), {"text": "x" * 1_000_001}, headers=JSON)
    assert answer.status_code == 422
    assert "megabyte" in answer.json()["error"]
    assert not Draft.objects.exists()


def test_what_was_sent_in_meanwhile_takes_no_draft(lena: Client, lease: Assignment) -> None:
    lena.post(reverse("demonstration-write", args=[lease.pk]), {"text": "words"})
    answer = lena.post(address(lease), {"text": "wor"}, headers=JSON)
    assert answer.status_code == 409
    assert "revision" not in answer.json()


# ── Signs of life ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sign_of_work_is_written_down(lena: Client, lease: Assignment) -> None:
    answer = lena.post(reverse("assignment-active", args=[lease.pk]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert ActiveSpan.objects.get().assignment == lease


def test_a_sign_of_work_renews_a_lease_that_is_half_over(lena: Client, lease: Assignment) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    Assignment.objects.update(expires_at=soon)
    lena.post(reverse("assignment-active", args=[lease.pk]))
    lease.refresh_from_db()
    assert lease.expires_at > soon


def test_renew_lengthens_the_lease_and_returns_its_part(lena: Client, lease: Assignment) -> None:
    answer = lena.post(reverse("assignment-renew", args=[lease.pk]), headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<p id="lease"')
    assert reverse("assignment-active", args=[lease.pk]) in answer.content.decode()
    assert Assignment.objects.get().expires_at > lease.expires_at


def test_renew_of_an_ended_lease_says_why(lena: Client, labeler: Labeler, lease: Assignment) -> None:
    dispatch.skip(labeler, lease.pk)
    answer = lena.post(reverse("assignment-renew", args=[lease.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "You skipped this piece" in answer.content.decode()


# ── Everybody else ──────────────────────────────────────────────────────────────────────────────────────────────────


def as_script(client: Client, name: str, pk: object) -> int:
    return client.post(reverse(name, args=[pk]) + "?base=0", {"text": "mine"}, headers=JSON).status_code


@pytest.mark.parametrize("name", DOORS)
def test_a_script_is_told_that_nobody_is_logged_in(client: Client, lease: Assignment, name: str) -> None:
    for headers in (JSON, {"HX-Request": "true"}):
        answer = client.post(reverse(name, args=[lease.pk]) + "?base=0", {"text": "mine"}, headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"error": "You are logged out.", "code": "logged-out", "login": "/accounts/login/"}
    assert not Draft.objects.exists()


@pytest.mark.parametrize("name", DOORS)
def test_others_find_nothing(
    client: Client, lease: Assignment, second_labeler: Labeler, researcher: User, name: str
) -> None:
    for user in (second_labeler.user, researcher):
        client.force_login(user)
        assert as_script(client, name, lease.pk) == 404
        assert as_script(client, name, uuid4()) == 404
    assert not Draft.objects.exists()
    assert not ActiveSpan.objects.exists()


@pytest.mark.parametrize("name", DOORS)
def test_looking_changes_nothing(lena: Client, lease: Assignment, name: str) -> None:
    assert lena.get(reverse(name, args=[lease.pk])).status_code == 405


@pytest.mark.parametrize("name", DOORS)
def test_a_post_without_the_token_is_refused(labeler: Labeler, lease: Assignment, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(labeler.user)
    answer = strict.post(reverse(name, args=[lease.pk]) + "?base=0", {"text": "mine"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert not Draft.objects.exists()


def test_a_paused_labeler_keeps_drafts_of_what_they_hold(lena: Client, lease: Assignment) -> None:
    Labeler.objects.update(state=Labeler.State.PAUSED)
    assert as_script(lena, "assignment-draft", lease.pk) == 200


@pytest.mark.parametrize(("name", "status"), [("assignment-draft", 200), ("assignment-active", 204)])
def test_twice_is_once(lena: Client, lease: Assignment, name: str, status: int) -> None:
    assert [as_script(lena, name, lease.pk) for _ in range(2)] == [status, status]
    assert ActiveSpan.objects.count() == 1
    assert Draft.objects.filter(revision__gt=1).count() == 0
