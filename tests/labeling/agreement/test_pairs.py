"""Every two rankings of an item: against cases by hand, scipy, and the counting of evaluation/agreement.py."""

import itertools

import numpy as np
import pytest
from scipy import stats

from labeling.agreement.pairs import (
    against_the_others,
    compare,
    distance,
    mean_tau_b,
    tau_b,
    ties_excluded,
    ties_half,
    within_items,
)
from labeling.agreement.resampling import Observations, cells, estimates
from labeling.evaluation import agreement
from tests.labeling.agreement.orders import Item, random_items, rankings

IN_ORDER, TIED_TOP, REVERSED, ALL_TIED = [1, 2, 3, 4], [1, 1, 2, 3], [4, 3, 2, 1], [1, 1, 1, 1]


def rate(seen: Observations) -> float:
    return float(seen.above.sum() / seen.below.sum())


def test_two_rankings_by_hand() -> None:
    made = rankings([{0: IN_ORDER, 1: TIED_TOP, 2: REVERSED}])
    found = compare(made)
    assert list(zip(found.first, found.second, strict=True)) == [(0, 1), (0, 2), (1, 2)]
    assert found.alike.tolist() == [5, 0, 0]
    assert found.opposite.tolist() == [0, 6, 5]
    assert found.tied_first.tolist() == [0, 0, 1]
    assert found.tied_second.tolist() == [1, 0, 0]
    assert found.tied_both.tolist() == [0, 0, 0]
    assert distance(found).tolist() == [0.5 / 6, 1.0, 5.5 / 6]


def test_the_two_rules_for_ties_by_hand() -> None:
    """{first, second} prefer a > b > c and a = b > c: of three pairs two alike, one tied by the second alone."""
    found = compare(rankings([{0: [1, 2, 3], 1: [1, 1, 2]}]))
    assert rate(ties_excluded(found, np.array([0, 0]))) == 1.0
    assert rate(ties_half(found, np.array([0, 0]))) == pytest.approx(2.5 / 3)


def test_a_tie_of_both_is_agreement_only_where_ties_count() -> None:
    found = compare(rankings([{0: [1, 1, 2], 1: [2, 2, 1]}]))
    assert rate(ties_excluded(found, np.array([0, 0]))) == 0.0
    assert rate(ties_half(found, np.array([0, 0]))) == pytest.approx(1 / 3)


def test_gaps_between_places_carry_no_meaning() -> None:
    dense, gaps = compare(rankings([{0: [1, 2, 3], 1: [2, 1, 3]}])), compare(rankings([{0: [1, 4, 9], 1: [5, 2, 7]}]))
    assert [column.tolist() for column in dense] == [column.tolist() for column in gaps]


def test_a_completion_that_one_labeler_left_out_is_in_no_pair() -> None:
    found = compare(rankings([{0: [1, 2, 3], 1: [1, 0, 2]}]))
    assert [int(column[0]) for column in found[2:]] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_tau_b_is_scipys(seed: int) -> None:
    made = rankings(random_items(seed))
    found = compare(made)
    ours = tau_b(found)
    for row, (first, second) in enumerate(zip(found.first, found.second, strict=True)):
        ranked = made.places[first] > 0
        theirs = stats.kendalltau(made.places[first][ranked], made.places[second][ranked]).statistic
        assert ours[row] == pytest.approx(theirs, nan_ok=True)


def test_tau_b_is_undefined_where_everything_is_tied_and_leaves_the_mean() -> None:
    made = rankings([{0: IN_ORDER, 1: IN_ORDER, 2: ALL_TIED}])
    found = compare(made)
    assert np.isnan(tau_b(found)).tolist() == [False, True, True]
    assert rate(mean_tau_b(found, made.item)) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_what_evaluation_counts_one_by_one(seed: int) -> None:
    items = random_items(seed)
    made = rankings(items)
    one_by_one = agreement.agreement(
        [[{str(at): place for at, place in enumerate(places)} for places in item.values()] for item in items]
    )
    assert one_by_one is not None
    assert rate(ties_excluded(compare(made), made.item)) == pytest.approx(one_by_one.rate)


def test_within_items_is_every_two_of_an_item() -> None:
    item = np.array([0, 1, 1, 1, 2, 2, 3, 4, 4])
    wanted = {(a, b) for a, b in itertools.combinations(range(len(item)), 2) if item[a] == item[b]}
    first, second = within_items(item)
    assert len(first) == len(wanted)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == wanted


def test_nothing_to_compare_is_empty() -> None:
    assert [len(column) for column in compare(rankings([{0: IN_ORDER}, {1: IN_ORDER}]))] == [0] * 7


def test_the_consensus_leaves_the_labeler_out() -> None:
    """Two in order, one reversed. The reversed one stands against both; each of the two meets one alike and one
    opposed: the others are tied on every pair, so nothing counts."""
    made = rankings([{0: IN_ORDER, 1: IN_ORDER, 2: REVERSED}])
    seen = against_the_others(made, 1)
    assert seen.above.tolist() == [0, 0, 0]
    assert seen.below.tolist() == [0, 0, 6]


def test_against_the_others_by_hand() -> None:
    """Places of a, b, c. The others of labeler 3 vote a>b 2:1, a>c 3:0, b>c 2:0 with a tie; 3 says a>b, c>a, c>b."""
    item: Item = {0: [1, 2, 3], 1: [1, 2, 3], 2: [2, 1, 2], 3: [2, 3, 1]}
    seen = against_the_others(rankings([item]), 1)
    # 2 itself says b>a, a=c, b>c: against a>b 3:0, (tie), b>c 2:1.
    assert seen.above.tolist()[2:] == [1, 1]
    assert seen.below.tolist()[2:] == [2, 3]


def test_cells_of_labelers_by_hand() -> None:
    made = rankings([{0: IN_ORDER, 1: IN_ORDER}, {0: IN_ORDER, 2: REVERSED}, {1: IN_ORDER, 2: TIED_TOP}])
    found = compare(made)
    pair = made.labeler[found.first] * 3 + made.labeler[found.second]
    _, [table] = estimates([], [cells(ties_excluded(found, made.item), pair, count=9, items=3)])
    shown = {at: (cell.value, cell.low, cell.items) for at, cell in enumerate(table) if cell}
    assert shown == {1: (1.0, None, 1), 2: (0.0, None, 1), 5: (1.0, None, 1)}
