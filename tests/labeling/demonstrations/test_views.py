"""The writing page: one prompt, one text, and no word lost."""

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Demonstration, Kind, Labeler, User
from labeling.queue import dispatch
from tests.work import writing_work


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease


def address(lease: Assignment) -> str:
    return reverse("demonstration-write", args=[lease.pk])


def test_the_page_shows_the_prompt_the_guideline_and_the_lease(lena: Client, lease: Assignment) -> None:
    page = lena.get(address(lease)).content.decode()
    assert lease.item.prompt.text in page
    assert lease.item.batch.guideline.title in page
    assert f"{lease.expires_at:%H:%M} UTC" in page


def test_a_text_is_stored_and_the_next_prompt_comes(lena: Client, lease: Assignment) -> None:
    answer = lena.post(address(lease), {"text": "One plus one is two.\n\nAlways."})
    following = Assignment.objects.get(state=Assignment.State.LEASED)
    assert answer.headers["Location"] == address(following)
    assert Demonstration.objects.get().text == "One plus one is two.\n\nAlways."


def test_after_the_last_one_there_is_an_honest_page(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), {"text": "a"})
    answer = lena.post(address(Assignment.objects.get(state=Assignment.State.LEASED)), {"text": "b"}, follow=True)
    assert "Nothing to do just now" in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "sentence"), [("  \n ", "is empty"), ("a\0b", "NUL"), ("long" * 6000, "at most 20,000")]
)
def test_a_bad_text_is_refused_and_kept(lena: Client, lease: Assignment, text: str, sentence: str) -> None:
    answer = lena.post(address(lease), {"text": text})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert text.strip() in page
    assert not Demonstration.objects.exists()


def test_a_post_without_a_text_is_refused(lena: Client, lease: Assignment) -> None:
    assert lena.post(address(lease)).status_code == 422


def test_the_second_click_is_refused_with_the_words_given_back(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), {"text": "the first words"})
    answer = lena.post(address(lease), {"text": "the second words"})
    assert answer.status_code == 409
    assert "the second words" in answer.content.decode()
    assert [row.text for row in Demonstration.objects.all()] == ["the first words"]


def test_words_that_come_too_late_are_given_back(
    lena: Client, labeler: Labeler, lease: Assignment, second_labeler: Labeler
) -> None:
    Assignment.objects.filter(pk=lease.pk).update(expires_at=lease.leased_at)
    dispatch.sweep()
    taken = dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert taken is not None and taken.item_id == lease.item_id
    answer = lena.post(address(lease), {"text": "hours of work"})
    assert answer.status_code == 409
    assert "hours of work" in answer.content.decode()


def test_a_paused_labeler_may_hand_in_what_they_hold(lena: Client, lease: Assignment) -> None:
    Labeler.objects.update(state=Labeler.State.PAUSED)
    assert lena.post(address(lease), {"text": "done"}).headers["Location"] == "/"
    assert Demonstration.objects.count() == 1


def test_html_in_a_prompt_is_shown_not_obeyed(lena: Client, lease: Assignment) -> None:
    prompt = lease.item.prompt
    prompt.text = "<script>alert(1)</script>"
    prompt.save()
    page = lena.get(address(lease)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_others_find_nothing(client: Client, lease: Assignment, second_labeler: Labeler, researcher: User) -> None:
    assert client.get(address(lease)).headers["Location"].startswith("/accounts/login/")
    for user in (second_labeler.user, researcher):
        client.force_login(user)
        assert client.get(address(lease)).status_code == 404
        assert client.post(address(lease), {"text": "mine"}).status_code == 404
    assert not Demonstration.objects.exists()


def test_wrong_method(lena: Client, lease: Assignment) -> None:
    assert lena.delete(address(lease)).status_code == 405
