"""The ranking page: blind, complete, and refusing bad orders without losing them."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.models import Assignment, Completion, Kind, Labeler, RankedCompletion, Ranking, User
from labeling.queue import dispatch, drafts
from tests.work import ranking_work

TEXTS = ["The <b>first</b> answer.", "  indented\n    code", "第三の答え", "x" * 8000]


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    ranking_work(2, texts=TEXTS)
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None
    return lease


def address(lease: Assignment) -> str:
    return reverse("ranking-submit", args=[lease.pk])


def places(*order: int) -> dict[str, str]:
    return {f"place-{number}": str(place) for number, place in enumerate(order, start=1)}


def test_every_text_is_there_in_full_and_escaped(lena: Client, lease: Assignment) -> None:
    page = lena.get(address(lease)).content.decode()
    assert "The &lt;b&gt;first&lt;/b&gt; answer." in page
    assert "indented\n    code" in page
    assert "x" * 8000 in page
    assert page.count('data-card="') == 4


def test_nothing_is_ranked_beforehand(lena: Client, lease: Assignment) -> None:
    assert " selected>" not in lena.get(address(lease)).content.decode()


def test_the_page_is_blind(lena: Client, lease: Assignment) -> None:
    page = lena.get(address(lease)).content.decode()
    for completion in Completion.objects.select_related("run", "checkpoint"):
        for secret in (str(completion.run_id), completion.checkpoint.name, completion.checkpoint.path):
            assert secret not in page
    about_a_card = {f"{what}-{number}" for what in ("place", "rating", "flag", "spans") for number in range(1, 5)}
    assert set(re.findall(r'name="([^"]+)"', page)) == about_a_card | {
        "viewport", "htmx-config", "csrfmiddlewaretoken", "reason", "none", "rationale", "assignment", "text",
    }  # fmt: skip


def test_cards_stand_in_the_display_order(lena: Client, lease: Assignment) -> None:
    page = lena.get(address(lease)).content.decode()
    texts = dict(Completion.objects.values_list("pk", "text"))
    found = [page.index(texts[pk].strip().replace("<", "&lt;").replace(">", "&gt;")) for pk in lease.display_order]
    assert found == sorted(found)


def test_a_ranking_with_a_tie_is_stored_and_the_next_one_comes(lena: Client, lease: Assignment) -> None:
    answer = lena.post(address(lease), places(2, 1, 2, 3))
    following = Assignment.objects.get(state=Assignment.State.LEASED)
    assert answer.headers["Location"] == address(following)
    stored = dict(RankedCompletion.objects.values_list("completion_id", "place"))
    assert [stored[pk] for pk in lease.display_order] == [2, 1, 2, 3]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"place-1": "1", "place-2": "2", "place-3": "3"}, "Card 4 has no place yet"),
        ({}, "no place yet"),
        ({**places(1, 2, 3, 4), "place-5": "1"}, "There is no card 5"),
        ({**places(1, 2, 3, 4), "place-1": "first"}, "A place is a number"),
        ({**places(1, 2, 3, 4), "place-1": "0"}, "A place is a number"),
        ({**places(1, 2, 3, 4), "place-1": "10"}, "A place is a number"),
        ({**places(1, 2, 3, 4), "place-99": "1"}, "A place is a number"),
        ({**places(1, 2, 3, 4), "place-²": "1"}, "A place is a number"),
    ],
)
def test_a_bad_order_is_refused_and_kept(lena: Client, lease: Assignment, sent: dict[str, str], sentence: str) -> None:
    answer = lena.post(address(lease), sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert page.count(" selected>") == sum(
        name in places(1, 2, 3, 4) and value in set("1234") for name, value in sent.items()
    )
    assert not Ranking.objects.exists()
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED


def test_the_second_click_is_refused_and_nothing_doubles(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), places(1, 2, 3, 4))
    answer = lena.post(address(lease), places(4, 3, 2, 1))
    assert answer.status_code == 409
    assert "sent this in before" in answer.content.decode()
    assert Ranking.objects.count() == 1
    assert "Correct your ranking" in lena.get(address(lease)).content.decode()


def test_a_late_ranking_is_taken_while_it_is_wanted(lena: Client, lease: Assignment) -> None:
    Assignment.objects.update(expires_at=lease.leased_at)
    dispatch.sweep()
    assert "Your time ran out" in lena.get(address(lease)).content.decode()
    assert lena.post(address(lease), places(1, 2, 3, 4)).status_code == 302
    assert Ranking.objects.count() == 1


def test_a_withdrawn_piece_says_so(lena: Client, lease: Assignment) -> None:
    dispatch.withdraw(lease.item)
    answer = lena.post(address(lease), places(1, 2, 3, 4))
    assert answer.status_code == 409
    assert "withdrawn" in answer.content.decode()


def test_others_find_nothing(client: Client, lease: Assignment, second_labeler: Labeler, researcher: User) -> None:
    assert client.get(address(lease)).headers["Location"].startswith("/accounts/login/")
    for user in (second_labeler.user, researcher):
        client.force_login(user)
        assert client.get(address(lease)).status_code == 404
        assert client.post(address(lease), places(1, 2, 3, 4)).status_code == 404
    assert not Ranking.objects.exists()


def test_an_unknown_piece_and_a_writing_address_are_not_there(lena: Client, lease: Assignment) -> None:
    assert lena.get(reverse("ranking-submit", args=[uuid4()])).status_code == 404
    assert lena.get(reverse("demonstration-write", args=[lease.pk])).status_code == 404


def test_wrong_method(lena: Client, lease: Assignment) -> None:
    assert lena.put(address(lease)).status_code == 405


def test_a_post_without_the_csrf_token_is_refused_with_a_page(labeler: Labeler, lease: Assignment) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(labeler.user)
    answer = strict.post(address(lease), places(1, 2, 3, 4))
    assert answer.status_code == 403
    assert "Please send that again" in answer.content.decode()


def test_a_cycle_takes_few_queries(lena: Client, lease: Assignment) -> None:
    """Whatever K is: no query per card."""
    with CaptureQueriesContext(connection) as shown:
        lena.get(address(lease))
    with CaptureQueriesContext(connection) as sent:
        lena.post(address(lease), places(1, 2, 3, 4))
    assert len(shown) <= 6, [query["sql"] for query in shown]
    assert len(sent) <= 22, [query["sql"] for query in sent]


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"rationale": "a\0b"}, "NUL character"),
        ({"rationale": "x" * 20_001}, "20,001 characters"),
        ({"rating-1": "8"}, "A rating is a number from 1 to 7"),
        ({"rating-9": "3"}, "There is no card 9"),
        ({"flag-1": "nonsense"}, "There is no flag “nonsense”"),
        ({"flag-12": "violent"}, "A flag is given to one of the answers"),
        ({"spans-1": "[{"}, "did not arrive in one piece"),
        ({"flag-2": "violent", "spans-2": '[{"flag": "violent", "start": 0, "end": 99999}]'}, "outside of its text"),
        ({"reason": "because"}, "There is no reason “because”"),
    ],
)
def test_a_bad_remark_is_refused_and_the_rest_comes_back(
    lena: Client, lease: Assignment, sent: dict[str, str], sentence: str
) -> None:
    answer = lena.post(address(lease), {**places(3, 1, 2, 2), "rating-3": "6", **sent})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert page.count(" selected>") == 4
    assert 'name="rating-3" value="6" checked' in page
    assert not Ranking.objects.exists()


def test_all_that_is_said_is_stored_and_shown_for_correction(lena: Client, lease: Assignment) -> None:
    said = {"rating-2": "7", "flag-1": ["violent", "opinion"], "none": "1", "reason": ["safer"], "rationale": "Why."}
    lena.post(address(lease), {**places(1, 2, 3, 4), **said})
    ranking = Ranking.objects.get()
    rows = {row.completion_id: row for row in ranking.places.all()}
    first, second, *_ = lease.display_order
    assert (rows[first].flags, rows[second].rating) == (["violent", "opinion"], 7)
    assert (ranking.none_acceptable, ranking.reasons, ranking.rationale) == (True, ["safer"], "Why.")
    page = lena.get(address(lease)).content.decode()
    for shown in ('name="rating-2" value="7" checked', 'value="violent" checked', "Why.</textarea>"):
        assert shown in page


def test_a_draft_is_shown_again(lena: Client, lease: Assignment, labeler: Labeler) -> None:
    drafts.save(labeler, lease.pk, [("place-2", "1"), ("rating-4", "3"), ("rationale", "Half a rea")], 0)
    page = lena.get(address(lease)).content.decode()
    assert page.count(" selected>") == 1
    assert 'name="rating-4" value="3" checked' in page
    assert "Half a rea</textarea>" in page
