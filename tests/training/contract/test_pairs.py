import pytest

from training.contract.pairs import ranking_pairs


def test_the_better_of_two_is_the_winner() -> None:
    assert ranking_pairs([2, 1]) == [(1, 0)]


def test_ties_are_dropped() -> None:
    assert ranking_pairs([1, 2, 2, 3]) == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]


def test_all_ties_give_no_pair() -> None:
    assert ranking_pairs([1, 1, 1]) == []


@pytest.mark.parametrize(("k", "pairs"), [(4, 6), (5, 10), (6, 15), (7, 21), (8, 28), (9, 36)])
def test_the_number_of_pairs_is_the_papers(k: int, pairs: int) -> None:
    assert len(ranking_pairs(range(1, k + 1))) == pairs
