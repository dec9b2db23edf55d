"""Pairwise agreement worked out by hand."""

import pytest

from labeling.evaluation.agreement import agreement, compare


def test_the_same_order_agrees_on_every_pair() -> None:
    places = {"a": 1, "b": 2, "c": 3, "d": 4}
    assert compare(places, places) == (6, 6)


def test_the_reverse_order_agrees_on_none() -> None:
    assert compare({"a": 1, "b": 2, "c": 3}, {"a": 3, "b": 2, "c": 1}) == (0, 3)


def test_one_swap_of_neighbors_costs_one_pair() -> None:
    assert compare({"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 3, "c": 2, "d": 4}) == (5, 6)


def test_a_pair_that_either_side_ties_is_left_out() -> None:
    """a=b for the first, b=c for the second: only a against c is ordered by both."""
    assert compare({"a": 1, "b": 1, "c": 2}, {"a": 1, "b": 2, "c": 2}) == (1, 1)


def test_only_completions_that_both_ranked_count() -> None:
    assert compare({"a": 1, "b": 2}, {"a": 1, "c": 2}) == (0, 0)


def test_items_are_pooled_by_their_pairs() -> None:
    """5 of 6 pairs in one item, 0 of 1 in the other: 5 of 7."""
    first = [{"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 3, "c": 2, "d": 4}]
    second = [{"a": 1, "b": 2}, {"a": 2, "b": 1}]
    found = agreement([first, second])
    assert found is not None
    assert (found.rate, found.clusters) == (pytest.approx(5 / 7), 2)


def test_three_labelers_make_three_pairs_of_labelers() -> None:
    """Two agree and the third says the opposite: 1 of 3."""
    found = agreement([[{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 2, "b": 1}]])
    assert found is not None
    assert found.rate == pytest.approx(1 / 3)


def test_without_an_item_that_two_ranked_there_is_no_agreement() -> None:
    assert agreement([[{"a": 1, "b": 2}]]) is None
    assert agreement([]) is None
