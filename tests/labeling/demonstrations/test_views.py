"""The writing page: one prompt, one text, and no word lost."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.models import Assignment, Demonstration, Kind, Labeler, Prompt, User
from labeling.queue import dispatch, drafts
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


def test_the_prompts_use_case_is_chosen_and_every_trait_is_explained(lena: Client, lease: Assignment) -> None:
    Prompt.objects.update(use_case="extract")
    page = lena.get(address(lease)).content.decode()
    assert '<option value="extract" selected>Extract</option>' in page
    assert page.count(" selected>") == 1
    assert page.count('type="checkbox" name="traits"') == 11  # Table 7
    assert "It can be understood in two ways that call for different answers." in page
    assert 'name="traits" value="ambiguous">' in page


def test_what_is_said_of_the_prompt_goes_along(lena: Client, lease: Assignment) -> None:
    lena.post(address(lease), {"text": "Two.", "use_case": "chat", "traits": ["opinion", "ambiguous"]})
    row = Demonstration.objects.get()
    assert (row.use_case, row.traits) == ("chat", ["ambiguous", "opinion"])


@pytest.mark.parametrize("said", [{"use_case": "poetry"}, {"traits": ["tall", "opinion"]}])
def test_what_is_not_asked_is_refused_and_the_words_are_kept(
    lena: Client, lease: Assignment, said: dict[str, object]
) -> None:
    answer = lena.post(address(lease), {"text": "My words.", **said})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "My words." in page
    if "traits" in said:
        assert 'value="opinion" checked>' in page
    assert not Demonstration.objects.exists()


def test_a_draft_comes_back_into_the_page(lena: Client, labeler: Labeler, lease: Assignment) -> None:
    drafts.save(labeler, lease.pk, [("text", "Half an"), ("use_case", "chat"), ("traits", "advice")], 0)
    page = lena.get(address(lease)).content.decode()
    assert "Half an</textarea>" in page
    assert '<option value="chat" selected>' in page
    assert 'value="advice" checked>' in page
    assert 'data-revision="1"' in page


@pytest.fixture
def done(lena: Client, lease: Assignment) -> Assignment:
    lena.post(address(lease), {"text": "What I wrote.", "use_case": "chat", "traits": ["advice"]})
    lease.refresh_from_db()
    return lease


def test_what_was_sent_in_is_shown_for_correction(lena: Client, done: Assignment) -> None:
    page = lena.get(address(done)).content.decode()
    assert "Correct what you wrote" in page
    assert "What I wrote.</textarea>" in page
    assert '<option value="chat" selected>' in page
    assert 'value="advice" checked>' in page
    assert 'id="lease"' not in page
    assert 'id="skip"' not in page


def test_a_correction_is_stored_and_leads_to_the_last_pieces(lena: Client, done: Assignment) -> None:
    answer = lena.post(address(done), {"text": "Better.", "correction": "1"}, follow=True)
    assert answer.redirect_chain == [(reverse("work-recent"), 302)]
    assert "Your correction is stored." in answer.content.decode()
    assert Demonstration.objects.get().text == "Better."


def test_a_bad_correction_is_refused_and_kept(lena: Client, done: Assignment) -> None:
    answer = lena.post(address(done), {"text": "Bet\0ter.", "correction": "1"})
    assert answer.status_code == 422
    assert "Correct what you wrote" in answer.content.decode()
    assert "Bet\0ter." in answer.content.decode()
    assert Demonstration.objects.get().text == "What I wrote."


def test_a_frozen_answer_is_not_corrected_and_the_words_are_given_back(lena: Client, done: Assignment) -> None:
    Demonstration.objects.update(frozen_at=timezone.now())
    answer = lena.get(address(done))
    assert answer.status_code == 409
    assert "became part of a dataset" in answer.content.decode()
    answer = lena.post(address(done), {"text": "My better words.", "correction": "1"})
    assert answer.status_code == 409
    assert "My better words." in answer.content.decode()
    assert Demonstration.objects.get().text == "What I wrote."


def test_nothing_is_corrected_before_it_is_sent_in(lena: Client, lease: Assignment) -> None:
    assert lena.post(address(lease), {"text": "x", "correction": "1"}).status_code == 404
    assert not Demonstration.objects.exists()


def test_others_correct_nothing(client: Client, done: Assignment, second_labeler: Labeler) -> None:
    client.force_login(second_labeler.user)
    assert client.get(address(done)).status_code == 404
    assert client.post(address(done), {"text": "mine", "correction": "1"}).status_code == 404
    assert Demonstration.objects.get().text == "What I wrote."


def test_htmx_gets_the_page_without_its_frame(lena: Client, lease: Assignment) -> None:
    part = lena.get(address(lease), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="main"' in part
    assert "<title>Write a demonstration" in part


def test_the_preview_is_sanitized(lena: Client) -> None:
    answer = lena.post(
        reverse("text-preview"), {"text": "**Bold** <script>alert(1)</script> ![x](https://a.example/p)"}
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<strong>Bold</strong> &lt;script&gt;" in page
    assert "<img" not in page


@pytest.mark.parametrize(("text", "sentence"), [("", "is empty"), ("a\0b", "NUL"), ("x" * 20_001, "at most 20,000")])
def test_there_is_no_preview_of_a_bad_text(lena: Client, text: str, sentence: str) -> None:
    answer = lena.post(reverse("text-preview"), {"text": text})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert 'id="preview-text"' in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "German"),
        ("Hello.", ""),
        ("", ""),
    ],
)
def test_the_language_in_a_word(lena: Client, text: str, word: str) -> None:
    page = lena.post(reverse("text-language"), {"text": text}).content.decode()
    assert (word in page) if word else ("Language" not in page)


@pytest.mark.parametrize("name", ["text-preview", "text-language"])
def test_only_labelers_are_helped_to_write(name: str, client: Client, researcher: User, labeler: Labeler) -> None:
    assert client.post(reverse(name), {"text": "x"}).headers["Location"].startswith("/accounts/login/")
    client.force_login(researcher)
    assert client.post(reverse(name), {"text": "x"}).status_code == 404
    client.force_login(labeler.user)
    assert client.get(reverse(name)).status_code == 405
