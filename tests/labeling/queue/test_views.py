"""The labeler's home, claiming, renewing and skipping, as pages."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Kind, Labeler, User
from labeling.queue import dispatch
from tests.work import ranking_work, writing_work


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def test_home_counts_what_is_open(lena: Client) -> None:
    writing_work(3)
    page = lena.get("/").content.decode()
    assert '<p class="figure">3</p>' in page
    assert "Nothing is open for you now: rank completions, write a prompt." in page


def test_home_says_when_work_that_others_hold_comes_back(lena: Client, second_labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert lease is not None
    page = lena.get("/").content.decode()
    assert "Others hold 1 piece" in page
    assert f"{lease.expires_at:%H:%M} UTC" in page


def test_home_counts_what_was_done_today(lena: Client, labeler: Labeler) -> None:
    writing_work(2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    lena.post(reverse("demonstration-write", args=[lease.pk]), {"text": "Two."})
    page = lena.get("/").content.decode()
    assert '<td class="right">1</td><td class="right">1</td>' in page


def test_home_offers_to_go_on_with_a_lease(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert "Go on" in lena.get("/").content.decode()


def test_home_sends_the_anonymous_to_log_in(client: Client, db: None) -> None:
    assert client.get("/").headers["Location"] == reverse("account_login")


def test_home_of_other_roles(client: Client, researcher: User, admin_user: User, stranger: User) -> None:
    for user, place in ((researcher, "/rounds/"), (admin_user, "/labelers/")):
        client.force_login(user)
        assert client.get("/").headers["Location"] == place
    client.force_login(stranger)
    assert "no role yet" in client.get("/").content.decode()


@pytest.mark.parametrize(("kind", "page"), [(Kind.DEMONSTRATE, "/write/"), (Kind.RANK, "/rank/")])
def test_next_claims_and_goes_to_the_page(lena: Client, labeler: Labeler, kind: Kind, page: str) -> None:
    writing_work(1)
    ranking_work(1)
    answer = lena.post(reverse("queue-next", args=[kind.value]))
    lease = Assignment.objects.get(labeler=labeler)
    assert answer.headers["Location"] == f"{page}{lease.pk}/"


def test_next_twice_is_the_same_piece(lena: Client) -> None:
    writing_work(2)
    addresses = {lena.post("/work/next/demonstrate/").headers["Location"] for _ in range(2)}
    assert len(addresses) == 1


def test_next_without_work_is_an_honest_page(lena: Client) -> None:
    page = lena.post("/work/next/rank/", follow=True)
    assert page.status_code == 200
    assert "Nothing to do just now" in page.content.decode()


def test_looking_claims_nothing(lena: Client) -> None:
    writing_work(1)
    assert lena.get("/work/next/demonstrate/").status_code == 405
    lena.get("/")
    assert not Assignment.objects.exists()


def test_an_unknown_kind_is_not_there(lena: Client) -> None:
    assert lena.post("/work/next/sing/").status_code == 404


def test_a_paused_labeler_gets_no_work(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    Labeler.objects.update(state=Labeler.State.PAUSED)
    answer = lena.post("/work/next/demonstrate/")
    assert answer.status_code == 403
    assert "paused" in answer.content.decode()
    assert not Assignment.objects.exists()


def test_others_find_nothing(client: Client, researcher: User) -> None:
    assert client.post("/work/next/rank/").headers["Location"] == "/accounts/login/?next=/work/next/rank/"
    client.force_login(researcher)
    assert client.post("/work/next/rank/").status_code == 404


def test_renew_lengthens_the_lease_and_returns_its_part(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    answer = lena.post(reverse("assignment-renew", args=[lease.pk]), headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<p id="lease"')
    assert Assignment.objects.get().expires_at > lease.expires_at


def test_renew_of_an_ended_lease_says_why(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    dispatch.skip(labeler, lease.pk)
    answer = lena.post(reverse("assignment-renew", args=[lease.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "You skipped this piece" in answer.content.decode()


def test_skip_gives_the_piece_back_and_goes_on(lena: Client, labeler: Labeler) -> None:
    writing_work(2)
    first = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert first is not None
    answer = lena.post(reverse("assignment-skip", args=[first.pk]), {"reason": "unclear"})
    second = Assignment.objects.get(state=Assignment.State.LEASED)
    assert answer.headers["Location"] == reverse("demonstration-write", args=[second.pk])
    first.refresh_from_db()
    assert (first.state, first.skip_reason) == (Assignment.State.SKIPPED, "unclear")


def test_skip_with_a_made_up_reason_changes_nothing(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    assert lena.post(reverse("assignment-skip", args=[lease.pk]), {"reason": "bored"}).status_code == 422
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED


def test_a_strangers_lease_is_not_there(lena: Client, second_labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert lease is not None
    for name in ("assignment-renew", "assignment-skip"):
        assert lena.post(reverse(name, args=[lease.pk])).status_code == 404
        assert lena.post(reverse(name, args=[uuid4()])).status_code == 404
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED
