"""What a labeler is shown to rank."""

import dataclasses

import pytest

from labeling.models import Assignment, Completion, Kind, Labeler
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from tests.work import ranking_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    ranking_work(texts=("red", "blue", "red\n", "green", "blue"))
    return dispatch.claim(labeler, Kind.RANK)


def ordered(lease: Assignment, texts: list[str]) -> list[int]:
    """The lease's completion ids in the order of these texts (the k-th equal text is the k-th such completion)."""
    rest = list(Completion.objects.filter(pk__in=lease.display_order).order_by("sample"))
    ids = []
    for text in texts:
        found = next(completion for completion in rest if completion.text == text)
        rest.remove(found)
        ids.append(found.pk)
    return ids


def test_cards_stand_in_display_order_and_identical_samples_share_one(lease: Assignment) -> None:
    lease.display_order = ordered(lease, ["blue", "red\n", "green", "red", "blue"])
    shown = cards(lease)
    assert [(card.number, card.text) for card in shown] == [(1, "blue"), (2, "red"), (3, "green")]
    blue, red_line, green, red, blue_again = lease.display_order
    assert [card.completion_ids for card in shown] == [(blue, blue_again), (red_line, red), (green,)]


def test_cards_stay_as_they_are_on_every_visit(labeler: Labeler, lease: Assignment) -> None:
    assert cards(dispatch.claim(labeler, Kind.RANK)) == cards(lease)


def test_a_card_knows_no_model() -> None:
    from labeling.rankings.cards import Card

    assert {field.name for field in dataclasses.fields(Card)} == {"number", "text", "completion_ids", "shifts"}
