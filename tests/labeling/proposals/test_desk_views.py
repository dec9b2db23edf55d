"""The researcher's desk: looking at proposals, taking and refusing them, asking for more."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import Assignment, Batch, Labeler, Prompt, Proposal, User
from labeling.proposals import decide
from labeling.proposals.submit import correct, submit
from tests.labeling.proposals.conftest import PAIRS

Lease = Callable[[str], Assignment]
LIST = "/proposals/"


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def proposal(labeler: Labeler, lease: Lease) -> Proposal:
    return submit(labeler, lease("plain").pk, "Name a <b>river</b>.", use_case="open_qa")


def take(proposal: Proposal) -> str:
    return reverse("proposal-take", args=[proposal.pk])


def refuse(proposal: Proposal) -> str:
    return reverse("proposal-refuse", args=[proposal.pk])


def test_an_empty_desk_says_how_to_fill_it(rosa: Client) -> None:
    page = rosa.get(LIST).content.decode()
    assert "Nothing waits for your look." in page
    assert reverse("proposal-ask") in page


def test_what_waits_is_shown_with_its_labeler_and_pairs(rosa: Client, labeler: Labeler, lease: Lease) -> None:
    submit(labeler, lease("few_shot").pk, "Say it <i>politely</i>.", use_case="rewrite", pairs=PAIRS)
    page = rosa.get(LIST).content.decode()
    assert labeler.pseudonym in page
    assert labeler.user.email not in page
    assert "Please sit down." in page
    assert "&lt;i&gt;politely" in page and "<i>politely" not in page
    assert "Take it: 3 prompts" in page
    assert '<option value="rewrite" selected>' in page


def test_what_was_asked_for_stands_beside_it(rosa: Client, labeler: Labeler, lease: Lease) -> None:
    submit(labeler, lease("user_based").pk, "What grows in shade?")
    assert "An app that helps to plan a garden" in rosa.get(LIST).content.decode()


def test_taking_makes_a_prompt(rosa: Client, proposal: Proposal) -> None:
    posted = {"text": "Name a river.", "use_case": "chat", "split": "train", "version": "0"}
    answer = rosa.post(take(proposal), posted, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "it is a prompt now, split train" in answer.content.decode()
    prompt = Prompt.objects.get()
    assert (prompt.text, prompt.use_case, prompt.split) == ("Name a river.", "chat", "train")
    page = rosa.get(LIST + "?state=taken").content.decode()
    assert "Taken by Rosa" in page
    assert "1 prompt" in page


def test_refusing_leaves_a_note(rosa: Client, proposal: Proposal) -> None:
    answer = rosa.post(refuse(proposal), {"note": "We have <many>."}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert Proposal.objects.get().note == "We have <many>."
    assert "We have &lt;many&gt;." in rosa.get(LIST + "?state=refused").content.decode()


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({}, "This field is required."),
        ({"text": " ", "use_case": "chat"}, "The prompt is empty."),
        ({"text": "My edit.", "use_case": "poetry"}, "poetry is not one of the available choices"),
        ({"text": "My edit.", "use_case": "chat", "split": "dev"}, "dev is not one of the available choices"),
        ({"text": "a\0", "use_case": "chat"}, "Null characters are not allowed."),
        ({"text": "x" * 20_001, "use_case": "chat"}, "at most 20,000"),
    ],
)
def test_a_bad_take_says_why_and_keeps_the_edit(
    rosa: Client, proposal: Proposal, posted: dict[str, str], sentence: str
) -> None:
    answer = rosa.post(take(proposal), posted)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert posted.get("text", "") in page
    assert Proposal.objects.get().state == "waiting"
    assert not Prompt.objects.exists()


@pytest.mark.parametrize("note", ["", " \n", "x" * 501, "a\0"])
def test_a_bad_note_refuses_nothing(rosa: Client, proposal: Proposal, note: str) -> None:
    answer = rosa.post(refuse(proposal), {"note": note})
    assert answer.status_code == 422
    assert '<details class="refuse" open>' in answer.content.decode()
    assert Proposal.objects.get().state == "waiting"


def test_the_second_click_is_told_who_came_first(rosa: Client, proposal: Proposal) -> None:
    posted = {"text": "Name a river.", "use_case": "chat"}
    rosa.post(take(proposal), posted)
    for answer in (rosa.post(take(proposal), posted), rosa.post(refuse(proposal), {"note": "No."})):
        assert answer.status_code == 409
        assert "Rosa decided about this one before: it is taken." in answer.content.decode()
    assert Prompt.objects.count() == 1


def test_a_correction_since_the_look_is_shown(rosa: Client, proposal: Proposal, labeler: Labeler) -> None:
    assert 'name="version" value="0"' in rosa.get(LIST).content.decode()
    correct(labeler, proposal.assignment_id, "Name a lake.", use_case="chat")
    answer = rosa.post(take(proposal), {"text": "Name a river.", "use_case": "chat", "version": "0"})
    assert answer.status_code == 409
    assert "corrected it since you looked" in answer.content.decode()
    assert "Name a lake." in answer.content.decode()
    assert not Prompt.objects.exists()


def test_every_state_has_its_count(rosa: Client, proposal: Proposal, researcher: User) -> None:
    decide.refuse(proposal, researcher, "No.")
    page = "".join(rosa.get(LIST).content.decode().split())
    assert 'Waiting<spanclass="num">0<' in page
    assert 'Refused<spanclass="num">1<' in page
    assert rosa.get(LIST + "?state=nonsense&page=99").status_code == 200


def test_the_list_of_prompts_leads_here(rosa: Client, proposal: Proposal) -> None:
    assert "1 waits" in rosa.get(reverse("prompt-list")).content.decode()


def test_asking_fills_the_queue(rosa: Client) -> None:
    url = reverse("proposal-ask")
    assert "brainstorming: An app" in rosa.get(url).content.decode()
    posted = {"name": "More", "cohort": "training", "plain": 2, "few_shot": 1, "briefs": "chat: A shop", "need": 2}
    answer = rosa.post(url, posted)
    batch = Batch.objects.get()
    assert answer.headers["Location"] == reverse("batch-detail", args=[batch.pk])
    assert batch.items.count() == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"plain": 0, "few_shot": 0, "briefs": ""}, "Nothing is asked for"),
        ({"plain": -1}, "greater than or equal to 0"),
        ({"plain": 5001}, "less than or equal to 5000"),
        ({"plain": "many"}, "Enter a whole number."),
        ({"briefs": "A shop"}, "Line 1 is not a use case"),
        ({"need": 0}, "greater than or equal to 1"),
        ({"cohort": "friends"}, "friends is not one of the available choices"),
        ({"name": ""}, "This field is required."),
        ({"name": "a\0"}, "Null characters are not allowed."),
    ],
)
def test_a_bad_request_asks_for_nothing(rosa: Client, change: dict[str, object], sentence: str) -> None:
    fine = {"name": "More", "cohort": "training", "plain": 1, "few_shot": 0, "briefs": "", "need": 1}
    answer = rosa.post(reverse("proposal-ask"), {**fine, **change})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Batch.objects.exists()


def test_others_find_nothing(client: Client, proposal: Proposal, labeler: Labeler, stranger: User) -> None:
    ask = reverse("proposal-ask")
    assert client.get(LIST).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, stranger):
        client.force_login(user)
        assert client.get(LIST).status_code == client.get(ask).status_code == 404
        assert client.post(ask, {"name": "x", "plain": 1}).status_code == 404
        assert client.post(take(proposal), {"text": "x", "use_case": "chat"}).status_code == 404
        assert client.post(refuse(proposal), {"note": "x"}).status_code == 404
    assert Proposal.objects.get().state == "waiting"


def test_wrong_method_and_unknown_rows(rosa: Client, proposal: Proposal) -> None:
    assert rosa.get(take(proposal)).status_code == 405
    assert rosa.get(refuse(proposal)).status_code == 405
    assert rosa.post(LIST).status_code == 405
    assert rosa.post(reverse("proposal-take", args=[10**9]), {"text": "x", "use_case": "chat"}).status_code == 404
