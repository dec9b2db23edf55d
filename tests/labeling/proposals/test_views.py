"""The page on which labelers write prompts."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Labeler, Proposal, User
from labeling.proposals import decide
from labeling.queue import dispatch, drafts
from tests.work import proposing_work

Lease = Callable[[str], Assignment]
FEW_SHOT = {
    "text": "Say it politely.",
    "use_case": "rewrite",
    "query": ["Go.", "Stop.", ""],
    "response": ["Please go.", "Please stop.", ""],
}


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def address(lease: Assignment) -> str:
    return reverse("proposal-write", args=[lease.pk])


def test_a_plain_brief(lena: Client, lease: Lease) -> None:
    assignment = lease("plain")
    page = lena.get(address(assignment)).content.decode()
    assert "Any task of your own" in page
    assert 'name="query"' not in page
    assert '<option value="brainstorming">' in page
    assert assignment.item.batch.guideline.title in page
    assert f"{assignment.expires_at:%H:%M} UTC" in page


def test_a_user_based_brief_shows_what_somebody_wants(lena: Client, lease: Lease) -> None:
    page = lena.get(address(lease("user_based"))).content.decode()
    assert "An app that helps to plan a garden" in page
    assert "Brainstorming" in page
    assert 'name="use_case"' not in page


def test_a_few_shot_brief_has_room_for_pairs(lena: Client, lease: Lease) -> None:
    page = lena.get(address(lease("few_shot"))).content.decode()
    assert page.count('name="query"') == page.count('name="response"') == 3


def test_a_prompt_is_stored_and_the_next_brief_comes(lena: Client, lease: Lease) -> None:
    assignment = lease("few_shot")
    proposing_work()
    answer = lena.post(address(assignment), FEW_SHOT)
    following = Assignment.objects.get(state=Assignment.State.LEASED)
    assert answer.headers["Location"] == address(following)
    assert [pair["query"] for pair in Proposal.objects.get().pairs] == ["Go.", "Stop."]


def test_pairs_are_added_and_removed_without_a_script(lena: Client, lease: Lease) -> None:
    url = address(lease("few_shot"))
    page = lena.post(url, {**FEW_SHOT, "act": "add"}).content.decode()
    assert page.count('name="query"') == 4
    assert "Please stop.</textarea>" in page
    page = lena.post(url, {**FEW_SHOT, "act": "remove-1"}).content.decode()
    assert page.count('name="query"') == 2
    assert "Please go." not in page
    assert "Please stop.</textarea>" in page
    assert "Say it politely.</textarea>" in page
    assert '<option value="rewrite" selected>' in page
    assert not Proposal.objects.exists()


def test_there_are_never_less_than_two_nor_more_than_eight(lena: Client, lease: Lease) -> None:
    url = address(lease("few_shot"))
    few = {"text": "", "query": ["Go.", "Stop."], "response": ["a", "b"]}
    assert lena.post(url, {**few, "act": "remove-2"}).content.decode().count('name="query"') == 2
    many = {"text": "", "query": ["q"] * 8, "response": ["r"] * 8}
    assert lena.post(url, {**many, "act": "add"}).content.decode().count('name="query"') == 8


def test_what_is_refused_comes_back(lena: Client, lease: Lease) -> None:
    answer = lena.post(address(lease("few_shot")), {**FEW_SHOT, "response": ["Please go.", "", ""]})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The response of pair 2 is empty." in page
    for words in ("Say it politely.", "Please go.", "Stop."):
        assert f"{words}</textarea>" in page
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("posted", [{}, {"text": "One."}, {"text": "One.", "use_case": "poetry"}, {"act": "dance"}])
def test_a_bad_post_is_refused(lena: Client, lease: Lease, posted: dict[str, str]) -> None:
    assert lena.post(address(lease("plain")), posted).status_code == 422
    assert not Proposal.objects.exists()


def test_the_second_click_is_refused_with_the_words_given_back(lena: Client, lease: Lease) -> None:
    url = address(lease("plain"))
    lena.post(url, {"text": "The first words.", "use_case": "chat"})
    answer = lena.post(url, {"text": "The second words.", "use_case": "chat"})
    assert answer.status_code == 409
    assert "The second words." in answer.content.decode()
    assert Proposal.objects.get().text == "The first words."


def test_words_that_come_too_late_are_kept(
    lena: Client, lease: Lease, labeler: Labeler, second_labeler: Labeler
) -> None:
    assignment = lease("plain")
    Assignment.objects.filter(pk=assignment.pk).update(expires_at=assignment.leased_at)
    dispatch.sweep()
    assert dispatch.claim(second_labeler, "propose") is not None
    answer = lena.post(address(assignment), {"text": "Hours of work.", "use_case": "chat"})
    assert answer.status_code == 409
    assert "Hours of work." in answer.content.decode()
    assignment.refresh_from_db()
    assert drafts.fields_of(assignment)["text"] == "Hours of work."


def test_a_draft_comes_back_with_all_its_pairs(lena: Client, labeler: Labeler, lease: Lease) -> None:
    assignment = lease("few_shot")
    fields = [("text", "Say"), ("use_case", "chat")]
    fields += [(name, f"{name} {number}") for number in range(5) for name in ("query", "response")]
    drafts.save(labeler, assignment.pk, fields, 0)
    page = lena.get(address(assignment)).content.decode()
    assert page.count('name="query"') == 5
    assert "response 4</textarea>" in page
    assert '<option value="chat" selected>' in page


def test_it_can_be_corrected_until_a_researcher_has_decided(lena: Client, lease: Lease, researcher: User) -> None:
    assignment = lease("few_shot")
    lena.post(address(assignment), FEW_SHOT)
    page = lena.get(address(assignment)).content.decode()
    assert "Correct your prompt" in page
    assert "Please stop.</textarea>" in page
    assert 'id="lease"' not in page and 'id="skip"' not in page
    correction = {**FEW_SHOT, "text": "Be polite.", "correction": "1"}
    answer = lena.post(address(assignment), correction, follow=True)
    assert answer.redirect_chain == [(reverse("work-recent"), 302)]
    assert "Your correction is stored." in answer.content.decode()
    assert Proposal.objects.get().text == "Be polite."

    decide.refuse(Proposal.objects.get(), researcher, "We have many like it.")
    for answer in (lena.get(address(assignment)), lena.post(address(assignment), correction)):
        assert answer.status_code == 409
        assert "We have many like it." in answer.content.decode()


def test_the_labeler_reads_that_it_was_taken(lena: Client, lease: Lease, researcher: User) -> None:
    assignment = lease("plain")
    lena.post(address(assignment), {"text": "One.", "use_case": "chat"})
    decide.take(Proposal.objects.get(), researcher, use_case="chat")
    assert "This became a prompt on" in lena.get(address(assignment)).content.decode()


def test_html_is_shown_not_obeyed(lena: Client, labeler: Labeler, lease: Lease) -> None:
    assignment = lease("few_shot")
    drafts.save(labeler, assignment.pk, [("text", "</textarea><script>"), ("query", "<b>"), ("response", "x")], 0)
    page = lena.get(address(assignment)).content.decode()
    assert "&lt;/textarea&gt;&lt;script&gt;" in page
    assert "&lt;b&gt;" in page


def test_others_find_nothing(client: Client, lease: Lease, second_labeler: Labeler, researcher: User) -> None:
    url = address(lease("plain"))
    assert client.get(url).headers["Location"].startswith("/accounts/login/")
    for user in (second_labeler.user, researcher):
        client.force_login(user)
        assert client.get(url).status_code == 404
        assert client.post(url, {"text": "mine", "use_case": "chat"}).status_code == 404
        assert client.post(url, {"act": "add"}).status_code == 404
    assert not Proposal.objects.exists()


def test_wrong_method(lena: Client, lease: Lease) -> None:
    assert lena.delete(address(lease("plain"))).status_code == 405
