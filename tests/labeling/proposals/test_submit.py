"""Sending in a prompt, and correcting it while nobody has decided."""

from collections.abc import Callable
from typing import Any

import pytest

from labeling.errors import BadInput, Conflict, NotFound
from labeling.models import Assignment, Kind, Labeler, Proposal, User, WorkItem
from labeling.proposals import decide
from labeling.proposals.submit import correct, submit
from labeling.queue import dispatch, drafts
from tests.labeling.proposals.conftest import PAIRS
from tests.work import writing_work

pytestmark = pytest.mark.django_db
Lease = Callable[[str], Assignment]


def test_a_plain_prompt(labeler: Labeler, lease: Lease) -> None:
    assignment = lease("plain")
    proposal = submit(labeler, assignment.pk, "  Name a\r\nriver. ", use_case="open_qa")
    proposal.refresh_from_db()
    assert (proposal.shape, proposal.use_case, proposal.text) == ("plain", "open_qa", "Name a\nriver.")
    assert (proposal.pairs, proposal.state, proposal.labeler) == ([], "waiting", labeler)
    assert proposal.guideline == assignment.item.batch.guideline
    assert WorkItem.objects.get().done == 1


def test_a_few_shot_prompt_leaves_blank_pairs_out(labeler: Labeler, lease: Lease) -> None:
    pairs = [PAIRS[0], {"query": " ", "response": ""}, {"query": " Stop.\r\n", "response": "Please stop."}]
    submit(labeler, lease("few_shot").pk, "Say it politely.", use_case="rewrite", pairs=pairs)
    assert Proposal.objects.get().pairs == PAIRS[:2]


def test_a_user_based_prompt_has_its_briefs_use_case(labeler: Labeler, lease: Lease) -> None:
    submit(labeler, lease("user_based").pk, "What grows in shade?", use_case="chat", pairs=PAIRS)
    proposal = Proposal.objects.get()
    assert (proposal.use_case, proposal.pairs) == ("brainstorming", [])


TOO_MANY = [{"query": str(number), "response": "r"} for number in range(9)]
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("plain", {"text": ""}, "Your prompt is empty"),
    ("plain", {"text": "a\0b"}, "NUL"),
    ("plain", {"text": "a\ud800"}, "half of a character"),
    ("plain", {"text": "x" * 20_001}, "at most 20,000"),
    ("plain", {"use_case": ""}, "choose a use case"),
    ("plain", {"use_case": "poetry"}, "no use case “poetry”"),
    ("few_shot", {"text": " "}, "Your instruction is empty"),
    ("few_shot", {"pairs": []}, "are taken, not 0"),
    ("few_shot", {"pairs": PAIRS[:1]}, "are taken, not 1"),
    ("few_shot", {"pairs": TOO_MANY}, "are taken, not 9"),
    ("few_shot", {"pairs": [PAIRS[0], {"query": "Stop.", "response": " "}]}, "The response of pair 2 is empty"),
    ("few_shot", {"pairs": [{"query": "", "response": "x"}, PAIRS[0]]}, "The query of pair 1 is empty"),
    ("few_shot", {"pairs": [PAIRS[0], {"query": "a\0", "response": "x"}]}, "The query of pair 2 contains a NUL"),
    ("few_shot", {"pairs": [PAIRS[0], {"query": "Go. ", "response": "x"}]}, "Pair 2 asks the same"),
    ("few_shot", {"pairs": [PAIRS[0], {"query": "q", "response": "x" * 19_990}]}, "With its pairs it has"),
]


@pytest.mark.parametrize(("shape", "change", "sentence"), BAD)
def test_what_cannot_be_a_prompt_leaves_the_lease(
    labeler: Labeler, lease: Lease, shape: str, change: dict[str, Any], sentence: str
) -> None:
    assignment = lease(shape)
    fine: dict[str, Any] = {"text": "Say it politely.", "use_case": "rewrite", "pairs": PAIRS}
    with pytest.raises(BadInput, match=sentence):
        submit(labeler, assignment.pk, **{**fine, **change})
    assert not Proposal.objects.exists()
    submit(labeler, assignment.pk, **fine)


def test_the_first_version_is_kept(labeler: Labeler, lease: Lease) -> None:
    assignment = lease("plain")
    submit(labeler, assignment.pk, "One.", use_case="chat")
    with pytest.raises(Conflict, match="The first version was kept"):
        submit(labeler, assignment.pk, "Two.", use_case="chat")
    assert Proposal.objects.get().text == "One."


def test_nobody_proposes_for_somebody_else(second_labeler: Labeler, lease: Lease) -> None:
    with pytest.raises(NotFound):
        submit(second_labeler, lease("plain").pk, "One.", use_case="chat")


def test_a_demonstration_is_not_answered_by_a_prompt(labeler: Labeler) -> None:
    writing_work()
    with pytest.raises(NotFound):
        submit(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk, "One.", use_case="chat")


def test_a_correction_keeps_what_was_said(labeler: Labeler, lease: Lease) -> None:
    assignment = lease("few_shot")
    submit(labeler, assignment.pk, "Say it politely.", use_case="rewrite", pairs=PAIRS)
    drafts.save(labeler, assignment.pk, [("text", "Say i")], drafts.revision_of(Assignment.objects.get()))
    correct(labeler, assignment.pk, "Be polite.", use_case="chat", pairs=PAIRS[:2])
    row = Proposal.objects.get()
    assert (row.text, row.use_case, row.pairs, row.state) == ("Be polite.", "chat", PAIRS[:2], "waiting")
    (before,) = row.earlier
    assert before["text"] == "Say it politely."
    assert (before["use_case"], before["pairs"]) == ("rewrite", PAIRS)
    assert row.corrected_at is not None
    assert drafts.fields_of(Assignment.objects.get()) is None


def test_the_same_again_is_no_correction(labeler: Labeler, lease: Lease) -> None:
    assignment = lease("plain")
    for act in (submit, correct):
        act(labeler, assignment.pk, "One.", use_case="chat")
    assert Proposal.objects.get().earlier == []


def test_what_was_decided_is_not_corrected(labeler: Labeler, lease: Lease, researcher: User) -> None:
    assignment = lease("plain")
    proposal = submit(labeler, assignment.pk, "One.", use_case="chat")
    decide.refuse(proposal, researcher, "Too short.")
    with pytest.raises(Conflict, match=r"Too short\."):
        correct(labeler, assignment.pk, "Two.", use_case="chat")
    assert Proposal.objects.get().text == "One."


def test_others_and_those_who_left_correct_nothing(labeler: Labeler, second_labeler: Labeler, lease: Lease) -> None:
    assignment = lease("plain")
    with pytest.raises(NotFound):
        correct(labeler, assignment.pk, "Two.", use_case="chat")
    submit(labeler, assignment.pk, "One.", use_case="chat")
    with pytest.raises(NotFound):
        correct(second_labeler, assignment.pk, "Two.", use_case="chat")
    labeler.state = Labeler.State.LEFT
    with pytest.raises(Conflict, match="left the project"):
        correct(labeler, assignment.pk, "Two.", use_case="chat")
    assert Proposal.objects.get().text == "One."


def test_a_bad_correction_changes_nothing(labeler: Labeler, lease: Lease) -> None:
    assignment = lease("plain")
    submit(labeler, assignment.pk, "One.", use_case="chat")
    with pytest.raises(BadInput):
        correct(labeler, assignment.pk, "", use_case="chat")
    assert Proposal.objects.get().text == "One."
