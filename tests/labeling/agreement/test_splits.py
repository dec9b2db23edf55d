"""Groups of labelers: by hand, by counting all ways to deal out names, and in a population that is known."""

import numpy as np
import pytest

from benchmarks.labeler_flags import listed_topics, population
from labeling.agreement import splits
from labeling.agreement.pairs import compare
from labeling.agreement.splits import Signed
from tests.labeling.agreement.orders import Item, rankings

IN_ORDER, REVERSED = [1, 2, 3], [3, 2, 1]


def seen_in(items: list[Item]) -> Signed:
    made = rankings(items)
    return splits.signed(compare(made), made.item, made.labeler)


def opposed(items: int) -> list[Item]:
    """Labelers 0, 2, 4 in order, labelers 1, 3, 5 the other way round."""
    return [{labeler: REVERSED if labeler % 2 else IN_ORDER for labeler in range(6)} for _ in range(items)]


def test_signed_agreement_by_hand() -> None:
    """Alike 3 of 3: 1; opposite 3 of 3: -1; two of three pairs that both order: 0 and a tie is left out."""
    found = seen_in([{0: [1, 2, 3], 1: [1, 2, 3]}, {0: [1, 2, 3], 1: [3, 2, 1]}, {0: [1, 2, 3], 2: [2, 1, 2]}])
    assert found.value.tolist() == [1.0, -1.0, 0.0]
    assert found.other.tolist() == [1, 1, 2]
    table = splits.of_rows(found, np.arange(3), 3)
    assert table.signed.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert table.times.tolist() == [[0, 2, 1], [2, 0, 0], [1, 0, 0]]


def test_two_who_tie_all_that_the_other_orders_are_not_compared() -> None:
    assert len(seen_in([{0: [1, 2, 2], 1: [1, 1, 2]}]).value) == 1
    assert len(seen_in([{0: [1, 1, 2], 1: [1, 2, 2], 2: [1, 1, 1]}]).value) == 1


def test_reliability_of_labelers_whose_agreement_is_a_product() -> None:
    """S = N r r' with r = 0.9, 0.8, 0.5, 0.1: the least squares fit gives these back (N is large beside the +1)."""
    r = np.array([0.9, 0.8, 0.5, 0.1])
    times = np.full((4, 4), 1e5)
    np.fill_diagonal(times, 0)
    found = splits.reliability(splits.Agreements(times * np.outer(r, r), times), rounds=400)
    assert found.tolist() == pytest.approx(r.tolist(), abs=1e-3)


def test_nothing_is_left_where_all_agree_as_reliability_says() -> None:
    r = np.array([0.9, 0.8, 0.5, 0.1])
    times = np.full((4, 4), 50.0)
    np.fill_diagonal(times, 0)
    assert splits.residuals(splits.Agreements(times * np.outer(r, r), times), r) == pytest.approx(0, abs=1e-9)


def test_two_groups_by_hand() -> None:
    """+1 within and -1 between: the groups are 0 and 2 against 1 and 3, whichever is called 1; 4 was never compared."""
    side = np.array([1, -1, 1, -1])
    left = np.zeros((5, 5))
    left[:4, :4] = np.outer(side, side) - np.eye(4)
    group = splits.two_groups(left, np.abs(left))
    assert (group * group[0]).tolist() == [1, -1, 1, -1, 0]


def test_the_permutation_test_against_all_ways_to_deal_out_the_names() -> None:
    """Of 20 ways to call three of six labelers one group, two (this one and its mirror) give the largest T: 1/10."""
    seen = seen_in(opposed(10))
    group = np.array([1, -1, 1, -1, 1, -1])
    found = splits.given(seen, np.arange(len(seen.item)), np.ones(6), group)
    assert found is not None
    assert found.p == pytest.approx(0.1, abs=0.01)  # 9,999 draws: a standard error of 0.003
    assert (found.within, found.between, found.comparisons) == (1.0, 0.0, 150)


def test_groups_that_are_found_are_measured_on_items_that_they_were_not_found_on() -> None:
    """In each half the true groups are found, and in each 2 of 20 ways are as good: p = 1/100."""
    seen = seen_in(opposed(20))
    found = splits.found(seen, np.arange(len(seen.item)), np.ones(6))
    assert found is not None
    assert (found.group * found.group[0]).tolist() == [1, -1, 1, -1, 1, -1]
    assert (found.within, found.between) == (1.0, 0.0)
    assert found.p == pytest.approx(0.01, abs=0.004)


def test_too_little_is_said_to_be_too_little() -> None:
    few = seen_in(opposed(3))  # 45 comparisons
    assert splits.found(few, np.arange(45), np.ones(6)) is None
    five = seen_in([dict.fromkeys(range(5), IN_ORDER) for _ in range(20)])
    assert splits.found(five, np.arange(200), np.ones(5)) is None
    alone = np.array([1, -1, -1, -1, -1, -1])
    many = seen_in(opposed(10))
    assert splits.given(many, np.arange(150), np.ones(6), alone) is None


def test_holms_method_by_hand() -> None:
    """Smallest first: 0.01 · 3, then max(0.03, 0.03 · 2), then max(0.06, 0.04 · 1)."""
    assert splits.adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert splits.adjusted([0.9, 0.8]) == [1.0, 1.0]
    assert splits.adjusted([]) == []


def test_what_is_certain_but_small_is_not_listed() -> None:
    assert splits.is_listed(0.01, 0.70, 0.60)
    assert not splits.is_listed(0.06, 0.70, 0.60)
    assert not splits.is_listed(0.0001, 0.70, 0.66)
    assert not splits.is_listed(0.01, float("nan"), 0.5)


def test_items_by_hand_the_widest_apart_first() -> None:
    """Item 0: everybody alike. Item 1: two of each group, 2 within alike, 4 between opposed."""
    items: list[Item] = [
        {0: IN_ORDER, 1: IN_ORDER, 2: IN_ORDER},
        dict(list(opposed(1)[0].items())[:4]),
        {0: IN_ORDER, 2: IN_ORDER},
    ]
    seen = seen_in(items)
    found = splits.by_item(seen, np.arange(len(seen.item)), np.array([1, -1, 1, -1, 1, -1]))
    assert found == [(1, 1.0, 0.0, 6), (0, 1.0, 1.0, 3)]  # item 2 has labelers of one group alone


def test_the_topic_of_opposite_tastes_is_listed_and_no_other_beyond_the_stated_bound() -> None:
    """At 5 % a page, 4 pages with a false topic have a chance of 6e-6, two or more one of 1.4 %."""
    listed = [listed_topics(population(150, seed)) for seed in range(4)]
    assert all(0 in topics for topics in listed)
    assert sum(bool(topics - {0}) for topics in listed) <= 1
