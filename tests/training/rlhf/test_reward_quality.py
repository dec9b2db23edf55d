import math

import pytest

from training.rlhf.reward_quality import best_of_n_wins, bootstrap_interval, log_loss, pair_accuracy


def test_accuracy_counts_pairs_that_are_not_tied() -> None:
    # Pairs: (0.9 over 0.1) right, (0.9 over 0.95) wrong; the tie of the last two is no pair.
    assert pair_accuracy([[(0.9, 1), (0.1, 2), (0.95, 2)]]) == 0.5


def test_equal_scores_count_half() -> None:
    assert pair_accuracy([[(0.3, 1), (0.3, 2)]]) == 0.5


def test_log_loss_is_the_mean_over_rankings() -> None:
    found = log_loss([[(0.3, 1), (-0.2, 2)], [(2.0, 1), (2.0, 2), (2.0, 3)]])
    assert found == pytest.approx((0.4740769842 + math.log(2)) / 2, abs=1e-9)


def test_the_best_of_n_meets_each_other_completion_once() -> None:
    # The highest score has rank 2 of (1, 2, 2, 3): it loses once, ties once, wins once.
    assert best_of_n_wins([[(0.1, 1), (0.8, 2), (0.3, 2), (0.2, 3)]]) == [0.5]
    assert best_of_n_wins([[(0.9, 1), (0.8, 2), (0.3, 3)]]) == [1.0]


def test_the_bootstrap_interval_is_that_of_the_normal_approximation() -> None:
    values = [1.0] * 300 + [0.0] * 100
    low, high = bootstrap_interval(values, 2000, seed=0)
    error = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == (pytest.approx(0.75 - error, abs=0.006), pytest.approx(0.75 + error, abs=0.006))


def test_without_pairs_there_is_no_accuracy() -> None:
    assert math.isnan(pair_accuracy([[(0.1, 1), (0.2, 1)]]))
    assert math.isnan(log_loss([[(0.1, 1), (0.2, 1)]]))
