"""Two open batches share the labelers of their line in the proportion of their weights."""

from collections.abc import Sequence

import pytest

from labeling.models import Batch, Cohort, Kind, Labeler, WorkItem
from labeling.queue import dispatch
from labeling.queue.settings import PLAIN, Settings
from tests.work import make_batch, make_prompts

pytestmark = pytest.mark.django_db


def batch_of(count: int, weight: int, *, start: int, priority: int = 5, cohort: Cohort = Cohort.TRAINING) -> Batch:
    batch = make_batch(Kind.DEMONSTRATE, cohort)
    Batch.objects.filter(pk=batch.pk).update(weight=weight)
    batch.refresh_from_db()
    dispatch.add_demonstration_items(batch, make_prompts(count, start=start), priority=priority)
    return batch


def served(labeler: Labeler, batches: Sequence[Batch], count: int) -> str:
    """From which batch each of the next pieces is: a letter each."""
    letters = ""
    for _ in range(count):
        lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
        if lease is None:
            return letters
        letters += "ABC"[[batch.pk for batch in batches].index(lease.item.batch_id)]
        dispatch.finish(labeler, lease.pk)
    return letters


@pytest.mark.parametrize(
    ("weights", "letters"),
    [((1, 1), "ABABABAB"), ((3, 1), "AAABAAAB"), ((1, 3), "ABBBABBB"), ((2, 4), "ABBABBAB"), ((3, 2), "AABABAABAB")],
)
def test_pieces_come_by_weight(labeler: Labeler, weights: tuple[int, int], letters: str) -> None:
    batches = [batch_of(20, weight, start=100 * at) for at, weight in enumerate(weights)]
    assert served(labeler, batches, len(letters)) == letters


def test_within_a_batch_the_order_stays(labeler: Labeler) -> None:
    batch_of(4, 1, start=0)
    second = batch_of(6, 2, start=100)
    texts = [item.the_prompt.text for item in second.items.order_by("pos")]
    assert texts == [f"What is {number} plus one?" for number in range(100, 106)]


def test_what_is_left_of_the_longer_one_comes_at_the_end(labeler: Labeler) -> None:
    batches = [batch_of(2, 1, start=0), batch_of(6, 1, start=100)]
    assert served(labeler, batches, 10) == "ABABBBBB"


def test_three_batches(labeler: Labeler) -> None:
    batches = [batch_of(30, weight, start=100 * at) for at, weight in enumerate((1, 1, 2))]
    letters = served(labeler, batches, 40)
    assert {letter: letters.count(letter) for letter in "ABC"} == {"A": 10, "B": 10, "C": 20}


def test_other_lines_and_classes_are_not_shared_with(labeler: Labeler) -> None:
    first = batch_of(3, 1, start=0, priority=4)
    batch_of(3, 1, start=50, cohort=Cohort.HELD_OUT)
    second = batch_of(3, 1, start=100)
    assert served(labeler, [first, second], 10) == "AAABBB"


def test_who_has_gone_on_is_not_past_what_comes_in_later(labeler: Labeler) -> None:
    """The second batch stands behind places that this labeler's cursor has passed."""
    first = batch_of(10, 1, start=0)
    assert served(labeler, [first], 4) == "AAAA"
    second = batch_of(3, 1, start=100)
    assert served(labeler, [first, second], 20) == "ABABABAAA"


def test_another_weight_moves_what_is_open(labeler: Labeler) -> None:
    batches = [batch_of(12, 1, start=0), batch_of(12, 1, start=100)]
    assert served(labeler, batches, 4) == "ABAB"
    dispatch.change_settings(batches[1], Settings(**{**vars(PLAIN), "weight": 3}))
    assert served(labeler, batches, 8) == "ABBBABBB"
    dispatch.change_settings(batches[1], PLAIN)
    assert served(labeler, batches, 20).count("B") == 12 - 2 - 6


def test_no_two_items_stand_at_one_place() -> None:
    """Who shares a place would be stepped over: many batches between the same few items."""
    for at in range(12):
        batch_of(5, 1 + at % 3, start=100 * at)
    places = list(WorkItem.objects.values_list("pos", flat=True))
    assert len(set(places)) == len(places) == 60


def test_a_batch_that_is_filled_in_two_goes(labeler: Labeler) -> None:
    first, second = batch_of(12, 1, start=0), batch_of(3, 1, start=100)
    dispatch.add_demonstration_items(second, make_prompts(3, start=200))
    assert served(labeler, [first, second], 12) == "ABABABABABAB"
