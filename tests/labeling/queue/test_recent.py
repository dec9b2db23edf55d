"""'Back': a labeler's last pieces."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.demonstrations import submit as demonstrations
from labeling.models import Assignment, Demonstration, Kind, Labeler, User
from labeling.queue import dispatch, drafts
from tests.work import ranking_work, writing_work


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def claim(labeler: Labeler, kind: Kind = Kind.DEMONSTRATE) -> Assignment:
    lease = dispatch.claim(labeler, kind)
    assert lease is not None
    return lease


def test_back_lists_what_was_done_passed_on_and_late(lena: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(4)
    ranking_work(1)
    done, passed, aside, late = (claim_and(labeler, end) for end in (finish, pass_on, put_aside, come_late))
    ranked = claim(labeler, Kind.RANK)
    lena.post(reverse("ranking-submit", args=[ranked.pk]), {f"place-{n}": str(n) for n in range(1, 5)})
    rows = re.findall(r"<li>\s*<p class=\"soft small\">.*?</li>", lena.get("/work/recent/").content.decode(), re.DOTALL)
    found = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)) for row in rows]
    words = ("Ranked", "Came too late", "Put aside", "Skipped: broken", "Written")
    assert len(found) == 5
    for row, what, piece in zip(found, words, (ranked, late, aside, passed, done), strict=True):
        assert what in row
        assert piece.item.the_prompt.text in row
    assert f'href="{reverse("demonstration-write", args=[done.pk])}"' in rows[4]
    assert f'href="{reverse("ranking-submit", args=[ranked.pk])}"' in rows[0]
    assert "Correct" in rows[0] and "Correct" in rows[4]
    for row, piece in ((rows[2], aside), (rows[3], passed)):
        assert f'action="{reverse("assignment-take-back", args=[piece.pk])}"' in row


def claim_and(labeler: Labeler, end: Callable[[Labeler, Assignment], object]) -> Assignment:
    lease = claim(labeler)
    end(labeler, lease)
    return lease


def finish(labeler: Labeler, lease: Assignment) -> None:
    demonstrations.submit(labeler, lease.pk, "An answer.")


def pass_on(labeler: Labeler, lease: Assignment) -> None:
    dispatch.skip(labeler, lease.pk, "broken")


def put_aside(labeler: Labeler, lease: Assignment) -> None:
    dispatch.skip(labeler, lease.pk, "not-now")


def come_late(labeler: Labeler, lease: Assignment) -> None:
    dispatch.withdraw(lease.item)
    drafts.keep_late(lease, QueryDict("text=late"))


def test_what_is_frozen_is_not_offered_for_correction(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    claim_and(labeler, finish)
    Demonstration.objects.update(frozen_at=timezone.now())
    page = lena.get("/work/recent/").content.decode()
    assert "In a dataset" in page
    assert ">Correct<" not in page


def test_back_shows_twenty_and_nobody_elses(lena: Client, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(23)
    for _ in range(22):
        claim_and(labeler, finish)
    theirs = claim_and(second_labeler, finish)
    page = lena.get("/work/recent/").content.decode()
    assert page.count(">Correct<") == 20
    assert str(theirs.pk) not in page


def test_back_costs_the_same_however_much_there_is(
    lena: Client, labeler: Labeler, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    writing_work(12)
    for _ in range(12):
        claim_and(labeler, finish)
    with django_assert_max_num_queries(8):
        lena.get("/work/recent/")


def test_back_before_the_first_piece_is_an_honest_page(lena: Client) -> None:
    assert "Nothing yet." in lena.get("/work/recent/").content.decode()


def test_back_is_for_labelers(client: Client, researcher: User) -> None:
    assert client.get("/work/recent/").headers["Location"] == "/accounts/login/?next=/work/recent/"
    client.force_login(researcher)
    assert client.get("/work/recent/").status_code == 404
