"""Kendall's W against hand-worked cases and scipy's Friedman test, of which it is a multiple: chi² = m (n - 1) W."""

import numpy as np
import pytest
from scipy import stats

from labeling.agreement.concordance import concordance, mean_by_chance, mean_w
from tests.labeling.agreement.orders import Item, rankings


def test_by_hand_without_ties() -> None:
    """Rank sums 4, 5, 9 around 6: S = 4 + 1 + 9 = 14; W = 12 · 14 / (9 · 24) = 7/9."""
    found = concordance(rankings([{0: [1, 2, 3], 1: [2, 1, 3], 2: [1, 2, 3]}]), 1)
    assert found.w.tolist() == pytest.approx([7 / 9])
    assert found.labelers.tolist() == [3]


def test_by_hand_with_ties() -> None:
    """Ranks 1 2 3 and 1.5 1.5 3: sums 2.5, 3.5, 6; S = 6.5, T = 6; W = 12 · 6.5 / (4 · 24 - 2 · 6) = 78/84."""
    assert concordance(rankings([{0: [1, 2, 3], 1: [1, 1, 2]}]), 1).w.tolist() == pytest.approx([78 / 84])


@pytest.mark.parametrize("seed", range(5))
def test_against_scipy_with_ties_and_missing_labelers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items: list[Item] = []
    for _ in range(20):
        there = rng.choice(7, size=rng.integers(2, 7), replace=False)
        k = rng.integers(3, 10)
        items.append({int(labeler): rng.integers(1, k + 1, size=k).tolist() for labeler in there})
    found = concordance(rankings(items), len(items))
    for w, item in zip(found.w, items, strict=True):
        table = np.array(list(item.values()))
        m, n = table.shape
        assert w == pytest.approx(stats.friedmanchisquare(*table.T).statistic / (m * (n - 1)), nan_ok=True)


def test_undefined_items_leave_the_mean() -> None:
    made = rankings([{0: [1, 2, 3], 1: [1, 2, 3]}, {0: [1, 2, 3]}, {0: [1, 1, 1], 1: [1, 1, 1]}])
    found = concordance(made, 3)
    assert np.isnan(found.w).tolist() == [False, True, True]
    assert (mean_w(found).above.sum(), mean_w(found).below.sum()) == (1.0, 1.0)
    assert (mean_by_chance(found).above.sum(), mean_by_chance(found).below.sum()) == (0.5, 1.0)
