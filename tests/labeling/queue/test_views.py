"""The labeler's home, claiming, skipping, late work and looking back, as pages."""

import json
import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Demonstration, Draft, Kind, Labeler, User
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


def skip(client: Client, lease: Assignment, reason: str = "") -> str:
    """The page that comes after a skip."""
    return client.post(reverse("assignment-skip", args=[lease.pk]), {"reason": reason}, follow=True).content.decode()


def claim(labeler: Labeler, kind: Kind = Kind.DEMONSTRATE) -> Assignment:
    lease = dispatch.claim(labeler, kind)
    assert lease is not None
    return lease


def test_the_page_after_a_skip_says_so_once_and_can_undo_it(lena: Client, labeler: Labeler) -> None:
    writing_work(2)
    first = claim(labeler)
    undo = reverse("assignment-take-back", args=[first.pk])
    page = skip(lena, first, "unclear")
    assert "Skipped. Somebody else gets it." in page
    assert f'action="{undo}"' in page
    assert undo not in lena.get(reverse("demonstration-write", args=[claim(labeler).pk])).content.decode()
    answer = lena.post(undo)
    assert answer.headers["Location"] == reverse("demonstration-write", args=[first.pk])
    first.refresh_from_db()
    assert first.state == Assignment.State.LEASED


def test_the_undo_comes_with_the_part_as_well(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    first = claim(labeler)
    part = lena.post(
        reverse("assignment-skip", args=[first.pk]), {"reason": ""}, follow=True, headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert "Nothing to do just now" in part
    assert reverse("assignment-take-back", args=[first.pk]) in part


def test_the_token_of_the_undo_is_taken(labeler: Labeler) -> None:
    writing_work(2)
    first = claim(labeler)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(labeler.user)
    strict.get(reverse("demonstration-write", args=[first.pk]))
    token = strict.cookies["csrftoken"].value
    page = strict.post(
        reverse("assignment-skip", args=[first.pk]), {"reason": "", "csrfmiddlewaretoken": token}, follow=True
    ).content.decode()
    undo = re.search(
        r'action="([^"]*take-back/)"[^>]*><input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"', page
    )
    assert undo
    assert strict.post(undo[1], {"csrfmiddlewaretoken": undo[2]}).status_code == 302


def test_what_is_put_aside_and_comes_at_once_is_explained(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    page = skip(lena, claim(labeler), "not-now")
    assert "Nothing else is open for you now, so here it is again." in page
    assert "take-back" not in page


def test_a_skip_offers_every_reason(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    page = lena.get(reverse("demonstration-write", args=[claim(labeler).pk])).content.decode()
    keys = re.findall(r'name="reason" value="([a-z-]*)"', page)
    assert keys == ["unclear", "outside-my-knowledge", "uncomfortable", "broken", "language", "not-now", ""]
    assert page.count("data-keeps-draft") == 1


def test_what_somebody_else_has_is_not_given_back(lena: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    first = claim(labeler)
    skip(lena, first)
    claim(second_labeler)
    answer = lena.post(reverse("assignment-take-back", args=[first.pk]))
    assert answer.status_code == 409
    assert "went to somebody else" in answer.content.decode()


def test_a_paused_labeler_takes_nothing_back(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    first = claim(labeler)
    dispatch.skip(labeler, first.pk)
    Labeler.objects.update(state=Labeler.State.PAUSED)
    assert lena.post(reverse("assignment-take-back", args=[first.pk])).status_code == 403
    first.refresh_from_db()
    assert first.state == Assignment.State.SKIPPED


# ── Late work ───────────────────────────────────────────────────────────────────────────────────────────────────────


def overtake(lease: Assignment, by: Labeler) -> None:
    Assignment.objects.filter(pk=lease.pk).update(expires_at=lease.leased_at)
    dispatch.sweep()
    assert claim(by).item_id == lease.item_id


def test_late_work_is_kept_with_thanks(lena: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    lease = claim(labeler)
    overtake(lease, second_labeler)
    answer = lena.post(reverse("demonstration-write", args=[lease.pk]), {"text": "Hours of\nwork & <b>love</b>"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "somebody else has taken it over" in page
    assert "Thank you for this work." in page
    assert "work &amp; &lt;b&gt;love&lt;/b&gt;</textarea>" in page
    draft = Draft.objects.get(assignment=lease)
    assert draft.came_late_at is not None
    assert "Hours of" in draft.content
    assert "csrf" not in draft.content
    again = lena.get(reverse("demonstration-write", args=[lease.pk])).content.decode()
    assert "Hours of" in again  # and later


def test_work_on_a_withdrawn_piece_is_kept(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    lease = claim(labeler)
    dispatch.withdraw(lease.item)
    page = lena.post(reverse("demonstration-write", args=[lease.pk]), {"text": "all for nothing"}).content.decode()
    assert "withdrawn" in page
    assert "it is kept" in page
    assert Draft.objects.get().came_late_at is not None


def test_late_work_counts_after_all_if_the_piece_comes_back(
    lena: Client, labeler: Labeler, second_labeler: Labeler
) -> None:
    writing_work(1)
    lease = claim(labeler)
    overtake(lease, second_labeler)
    address = reverse("demonstration-write", args=[lease.pk])
    lena.post(address, {"text": "late"})
    dispatch.skip(second_labeler, claim(second_labeler).pk)
    page = lena.get(address)
    assert page.status_code == 200
    assert "late</textarea>" in page.content.decode()
    assert lena.post(address, {"text": "late"}).status_code == 302
    assert Demonstration.objects.get().text == "late"


def test_a_ranking_that_comes_late_is_kept(lena: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(1)
    lease = claim(labeler, Kind.RANK)
    Assignment.objects.update(expires_at=lease.leased_at)
    dispatch.sweep()
    claim(second_labeler, Kind.RANK)
    places = {f"place-{number}": str(number) for number in range(1, 5)}
    assert lena.post(reverse("ranking-submit", args=[lease.pk]), places).status_code == 409
    assert dict(json.loads(Draft.objects.get().content)) == places


def test_the_second_submit_is_shown_and_not_called_late(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    address = reverse("demonstration-write", args=[claim(labeler).pk])
    lena.post(address, {"text": "first words"})
    page = lena.post(address, {"text": "second words"}).content.decode()
    assert "second words</textarea>" in page
    assert "Thank you" not in page
    assert not Draft.objects.exists()


def test_a_strangers_lease_is_not_there(lena: Client, second_labeler: Labeler) -> None:
    writing_work(1)
    lease = dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert lease is not None
    for name in ("assignment-take-back", "assignment-skip"):
        assert lena.post(reverse(name, args=[lease.pk])).status_code == 404
        assert lena.post(reverse(name, args=[uuid4()])).status_code == 404
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED
