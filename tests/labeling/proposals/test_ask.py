"""Asking labelers for prompts."""

import pytest

from labeling.errors import BadInput
from labeling.models import Batch, Kind, Labeler, WorkItem
from labeling.proposals.ask import ask, read_briefs
from labeling.queue import dispatch

pytestmark = pytest.mark.django_db


def test_as_many_items_as_prompts_are_wanted(labeler: Labeler, held_out_labeler: Labeler) -> None:
    lines = "brainstorming: An app for gardens\r\n\nOpen QA: Whom to ask: a doctor\n"
    batch = ask(name="More", plain=2, few_shot=1, briefs=lines, need=3)
    assert (batch.kind, batch.cohort, batch.purpose, batch.name) == ("propose", "training", "training", "More")
    items = [(item.brief["shape"], item.brief["use_case"], item.brief["text"], item.need) for item in batch.items.all()]
    assert sorted(items) == [
        ("few_shot", "", "", 1),
        ("plain", "", "", 1),
        ("plain", "", "", 1),
        ("user_based", "brainstorming", "An app for gardens", 3),
        ("user_based", "open_qa", "Whom to ask: a doctor", 3),
    ]
    assert dispatch.counts(labeler)[Kind.PROPOSE] == 5
    assert dispatch.counts(held_out_labeler)[Kind.PROPOSE] == 0


@pytest.mark.parametrize(
    "lines",
    ["An app for gardens", "garden: An app", "chat:  ", ": An app", "chat: fine\npoetry: not fine", "chat: a\0"],
)
def test_a_bad_line_asks_for_nothing(lines: str) -> None:
    with pytest.raises(BadInput):
        ask(name="More", plain=2, briefs=lines)
    assert not Batch.objects.exists()
    assert not WorkItem.objects.exists()


def test_the_line_is_named() -> None:
    with pytest.raises(BadInput, match="Line 3 is not a use case"):
        read_briefs("chat: fine\n\npoetry: not fine")


@pytest.mark.parametrize("said", [{}, {"briefs": " \n"}, {"name": "a\0", "plain": 1}, {"name": "\ud800", "plain": 1}])
def test_nothing_to_ask_for(said: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        ask(**{"name": "More", **said})
    assert not Batch.objects.exists()
