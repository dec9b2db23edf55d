"""The numbers behind a scorecard's figures, by hand."""

import numpy as np
import pytest

from labeling.agreement import behind, speed
from tests.labeling.agreement.orders import rankings


def test_pairs_won_by_place_on_the_page() -> None:
    """Completions b, a, c from top to bottom; a is best, b and c tie: a wins 2 pairs, the others lose one each."""
    made = rankings([{0: [1, 2, 2]}])
    won = behind.won_at(made, np.array([[2, 1, 3]], dtype=np.uint8), 1)
    assert won[0, 1:4].tolist() == [[0, 1], [2, 2], [0, 1]]
    assert won[0, 4:].sum() == 0


def test_the_share_for_what_stood_first() -> None:
    made = rankings([{0: [1, 2, 2], 1: [1, 1, 1]}])
    position = np.array([[2, 1, 3], [1, 2, 3]], dtype=np.uint8)
    shares = behind.first_preferred(made, position)
    assert shares[0] == 0.5  # a over c, which stood below it; a over b, which stood above it
    assert np.isnan(shares[1])


def test_ties_are_counted_by_pairs() -> None:
    ties, pairs = behind.tied(rankings([{0: [1, 2, 2, 2], 1: [1, 2, 3, 4]}]))
    assert (ties.tolist(), pairs.tolist()) == ([3, 0], [6, 6])


def test_places_from_top_to_bottom_close_the_gaps_of_identical_samples() -> None:
    """Positions 1, 3 and 4: the second sample shared the card of the first."""
    made = rankings([{0: [2, 0, 1, 3]}])
    pages = behind.on_page(made, np.array([[4, 2, 1, 3]], dtype=np.uint8))
    assert pages.tolist() == [[1, 3, 2, 0]]
    assert behind.most_frequent(pages) == ([1, 3, 2], pytest.approx([True]))


def test_a_ranking_that_repeats_an_earlier_one() -> None:
    made = rankings([{0: [1, 2, 3], 1: [1, 3, 2], 2: [1, 2, 3]}])
    assert behind.repeats(made).tolist() == [False, False, True]


def test_the_highest_come_first_and_undefined_ones_not_at_all() -> None:
    items, values = np.array([7, 8, 9]), np.array([0.5, np.nan, 0.75])
    assert behind.highest(items, values) == [(9, 0.75), (7, 0.5)]
    assert behind.highest(items, values, lowest=True) == [(7, 0.5), (9, 0.75)]


def test_minutes_beside_the_other_labelers() -> None:
    """Labeler 4: 1.5 and 2.5 minutes; 5: four of 1.5; 6: one of 30; 7 has none. Medians 2, 1.5, 30."""
    labeler = np.array([4, 4, 5, 5, 5, 5, 6])
    minutes = np.array([1.5, 2.5, 1.5, 1.5, 1.5, 1.5, 30])
    four, five, six, seven = speed.speeds(labeler, minutes, np.array([4, 5, 6, 7]))
    assert (four.pieces, four.median, four.others_median) == (2, 2.0, 15.75)
    assert four.shares == [0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert four.middle is not None and four.middle[2] == 0.5  # the others: 1 and 0 of their pieces
    assert four.low is not None and four.low[2] == 0.25
    assert five.median == 1.5 and six.shares[-1] == 1.0
    assert (seven.pieces, seven.median, seven.shares) == (0, None, [])
