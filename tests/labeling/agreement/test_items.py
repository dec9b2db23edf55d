"""The items behind a figure, pure: against cases by hand."""

import numpy as np
import pytest

from labeling.agreement.items import lines, of_labelers, split_on_flag, split_on_ratings, two
from labeling.agreement.labels import Labels
from tests.labeling.agreement.orders import Item, rankings

IN_ORDER, REVERSED, TURNED = [1, 2, 3], [3, 2, 1], [2, 1, 3]
# Labelers 0, 1, 2 on three items; their ids are 10, 11, 12 and the items' 100, 101, 102.
ITEMS: list[Item] = [
    {0: IN_ORDER, 1: IN_ORDER, 2: REVERSED},
    {0: IN_ORDER, 1: TURNED},
    {1: IN_ORDER, 2: IN_ORDER},
]


@pytest.fixture
def labels() -> Labels:
    made = rankings(ITEMS)
    R, K = made.places.shape
    return Labels(
        rankings=made,
        ratings=np.zeros((R, K), np.uint8),
        flags=np.zeros((R, K), np.int64),
        asked=np.full(R, 3),
        flag_keys=["a", "b"],
        about={name: np.zeros(R, np.int64) for name in (
            "use_case", "batch", "round", "guideline", "cohort", "purpose", "made",
        )},
        items=np.array([100, 101, 102]),
        completions=np.ones((3, K), np.int64),
        labelers=np.array([10, 11, 12]),
    )  # fmt: skip


def test_the_worst_disagreement_comes_first(labels: Labels) -> None:
    """Item 100: 3 of 9 pairs alike; 101: 2 of 3; 102: 3 of 3."""
    assert [(line.item, line.labelers, line.alike, line.ordered) for line in lines(labels)] == [
        (100, 3, 3, 9), (101, 2, 2, 3), (102, 2, 3, 3),
    ]  # fmt: skip


def test_of_one_labeler_only_the_own_comparisons_count(labels: Labels) -> None:
    """Labeler 12 is reversed against both on 100 and alike on 102."""
    found = lines(of_labelers(labels, 12), labeler=12)
    assert [(line.item, line.labelers, line.alike, line.ordered) for line in found] == [(100, 3, 0, 6), (102, 2, 3, 3)]


def test_of_two_labelers_only_what_both_ranked(labels: Labels) -> None:
    shared = of_labelers(labels, 10, 11)
    assert shared.items.tolist() == [100, 101]
    assert [(line.item, line.labelers, line.alike, line.ordered) for line in lines(shared)] == [
        (101, 2, 2, 3), (100, 2, 3, 3),
    ]  # fmt: skip


def test_items_on_which_labelers_are_split(labels: Labels) -> None:
    flags, ratings = labels.flags.copy(), labels.ratings.copy()
    flags[0] = [1, 1, 0]  # labeler 10 on item 100 ticks `a` twice
    flags[1:3] = [1, 0, 0]  # the others once
    flags[5:7, 1] = 2  # both labelers of item 102 tick `b`
    ratings[3:5, 0], ratings[5:7, 0], ratings[5, 1] = (7, 4), (5, 3), 1
    marked = labels._replace(flags=flags, ratings=ratings)
    assert split_on_flag(marked, "a").tolist() == [1, 0, 0]
    assert split_on_flag(marked, "b").tolist() == [0, 0, 0]
    assert split_on_ratings(marked).tolist() == [0, 1, 0]
    assert [line.item for line in lines(marked, split=split_on_flag(marked, "a"))] == [100]


def test_who_was_not_asked_does_not_split(labels: Labels) -> None:
    flags, asked = labels.flags.copy(), labels.asked.copy()
    flags[3], asked[4] = [1, 0, 0], 2
    assert split_on_flag(labels._replace(flags=flags, asked=asked), "a").tolist() == [0, 0, 0]


def test_cohens_kappa_of_two_labelers_by_hand(labels: Labels) -> None:
    """On items 100 and 101 labeler 10 ticks 3 of 6, labeler 11 two of these: 5/6 alike, 1/2 expected: 2/3."""
    flags = labels.flags.copy()
    flags[0], flags[1], flags[3], flags[4] = [1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]
    found = two(labels._replace(flags=flags), 10, 11)
    assert found.flags["a"] is not None and found.flags["a"].value == pytest.approx(2 / 3)
    assert found.flags["b"] is None
    excluded = found.overall.rankings.ties_excluded
    assert excluded is not None and excluded.value == pytest.approx(5 / 6)
    swapped = two(labels._replace(flags=flags), 11, 10)
    assert swapped.flags == found.flags


def test_two_who_never_met(labels: Labels) -> None:
    found = two(of_labelers(labels, 10), 10, 99)
    assert found.overall.rankings.ties_half is None
    assert lines(of_labelers(labels, 10, 99)) == []
