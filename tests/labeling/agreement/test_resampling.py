"""The bootstrap by weights against one that copies items, and against the one of evaluation/."""

import numpy as np
import pytest

from labeling.agreement.resampling import FEWEST, Measure, Observations, cells, estimate, estimates
from labeling.evaluation.bootstrap import cluster_mean


def ratio(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def some_items(items: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    below = rng.integers(1, 20, size=items)
    return np.stack([rng.binomial(below, rng.beta(6, 3, size=items)), below], axis=1).astype(float)


def test_a_measure_and_a_cell_are_the_bootstrap_of_whole_items() -> None:
    table = some_items()
    expected = cluster_mean(table[:, 0].tolist(), table[:, 1].tolist(), resamples=4000, seed=5)
    seen = Observations(table[:, 0], table[:, 1], np.arange(300))
    [of_measure], [[of_cell]] = estimates([Measure(table, ratio)], [cells(seen, items=300)], resamples=4000)
    for found in (of_measure, of_cell):
        assert found is not None and found.items == 300
        assert found.value == pytest.approx(expected.rate)
        assert (found.low, found.high) == (
            pytest.approx(expected.low, abs=2e-3),
            pytest.approx(expected.high, abs=2e-3),
        )


def test_a_formula_that_is_no_ratio_is_resampled_as_copied_items_are() -> None:
    table = some_items()
    spread = Measure(table, lambda sums: np.asarray(np.sqrt(sums[..., 0]) / (1 + sums[..., 1]) ** 0.3))
    rng = np.random.default_rng(9)
    copied = [spread.formula(table[rng.integers(0, 300, 300)].sum(axis=0)) for _ in range(4000)]
    found = estimate(spread, resamples=4000)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(copied, [0.025, 0.975])), rel=5e-3)


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    """Items drawn from a beta of mean 2/3 with 10 pairs each: 200 studies of 80 items."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        alike = rng.binomial(10, rng.beta(2, 1, size=80))
        found = estimate(Measure(np.stack([alike, np.full(80, 10)], axis=1).astype(float), ratio), resamples=400)
        assert found is not None and found.low is not None and found.high is not None
        covered += found.low <= 2 / 3 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_labels_that_repeat_each_other_do_not_narrow_it() -> None:
    """Ten copies of each item's pairs tell nothing new."""
    once, tenfold = estimate(Measure(some_items(), ratio)), estimate(Measure(10 * some_items(), ratio))
    assert once is not None and tenfold is not None
    assert (once.low, once.high) == pytest.approx((tenfold.low, tenfold.high), abs=1e-6)


def test_few_items_have_a_value_and_no_interval() -> None:
    few, enough = (estimate(Measure(some_items(count), ratio)) for count in (FEWEST - 1, FEWEST))
    assert few is not None and (few.low, few.high, few.items) == (None, None, FEWEST - 1)
    assert enough is not None and enough.low is not None


def test_a_cell_counts_its_own_items_and_an_empty_one_is_none() -> None:
    seen = Observations(np.ones(12), np.ones(12) * 2, np.arange(12))
    where = np.array([0] * 8 + [2] * 3 + [-1])
    _, [[first, empty, last]] = estimates([], [cells(seen, where, count=3, items=12)])
    assert empty is None
    assert first == (0.5, 0.5, 0.5, 8)
    assert last == (0.5, None, None, 3)


def test_observations_of_one_item_are_added_up() -> None:
    seen = Observations(np.array([1.0, 0.0, 3.0]), np.array([1.0, 1.0, 4.0]), np.array([0, 0, 1]))
    _, [[found]] = estimates([], [cells(seen, items=2)])
    assert found is not None and (found.value, found.items) == (pytest.approx(4 / 6), 2)


def test_the_same_seed_gives_the_same_interval() -> None:
    measure = Measure(some_items(), ratio)
    assert estimate(measure, seed=3) == estimate(measure, seed=3) != estimate(measure, seed=4)


def test_no_items_is_undefined() -> None:
    nothing = Observations(np.empty(0), np.empty(0), np.empty(0, np.int64))
    assert estimates([Measure(np.empty((0, 2)), ratio)], [cells(nothing, count=2, items=0)]) == ([None], [[None, None]])


def test_figures_over_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match="different lists"):
        estimates([Measure(some_items(10), ratio), Measure(some_items(11), ratio)])
