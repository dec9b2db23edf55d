"""Intervals over clusters, against the normal approximation and against what must hold exactly."""

import math
import random

import pytest

from labeling.evaluation import bootstrap
from labeling.evaluation.bootstrap import cluster_mean


def test_the_rate_is_the_mean_over_values_not_over_clusters() -> None:
    assert cluster_mean([3, 0], [3, 1]).rate == pytest.approx(3 / 4)


def test_equal_clusters_have_no_spread() -> None:
    found = cluster_mean([1, 1, 1], [2, 2, 2])
    assert (found.rate, found.low, found.high, found.clusters) == (0.5, 0.5, 0.5, 3)


def test_independent_values_give_the_normal_interval() -> None:
    """400 coin throws, 240 heads: 0.6 ± 1.96 · √(0.6 · 0.4 / 400) = 0.6 ± 0.048."""
    found = cluster_mean([1.0] * 240 + [0.0] * 160, [1.0] * 400)
    half = 1.96 * math.sqrt(0.6 * 0.4 / 400)
    assert found.low == pytest.approx(0.6 - half, abs=0.008)
    assert found.high == pytest.approx(0.6 + half, abs=0.008)


def test_judgements_of_one_prompt_count_as_one_observation() -> None:
    """Ten judges who always agree on a prompt know no more than one: the interval is that of 100 values, not 1,000."""
    heads = [1.0] * 60 + [0.0] * 40
    one_judge = cluster_mean(heads, [1.0] * 100)
    ten_judges = cluster_mean([10 * value for value in heads], [10.0] * 100)
    assert ten_judges == one_judge


def test_intervals_cover_the_truth_at_their_rate() -> None:
    """200 experiments of 80 prompts with a known rate of 0.55: 95 % ± 3 standard errors cover it."""
    rng = random.Random(0)
    covered = 0
    for seed in range(200):
        wins = [float(rng.random() < 0.55) for _ in range(80)]
        found = cluster_mean(wins, [1.0] * 80, resamples=400, seed=seed)
        covered += found.low <= 0.55 <= found.high
    assert covered >= 200 * (0.95 - 3 * math.sqrt(0.95 * 0.05 / 200))


def test_the_same_seed_gives_the_same_interval() -> None:
    assert cluster_mean([1, 0, 1, 1], [1, 1, 1, 1], seed=5) == cluster_mean([1, 0, 1, 1], [1, 1, 1, 1], seed=5)


def test_nothing_cannot_be_estimated() -> None:
    with pytest.raises(ValueError, match="nothing"):
        cluster_mean([], [])


def test_draws_that_are_kept_are_those_that_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    sums, counts = [float(n % 3) for n in range(40)], [2.0 + n % 2 for n in range(40)]
    found = [cluster_mean(sums, counts, seed=seed) for seed in (1, 2, 1)]
    monkeypatch.setattr(bootstrap, "KEPT", 0)
    assert found == [cluster_mean(sums, counts, seed=seed) for seed in (1, 2, 1)]
    assert found[0] == found[2] != found[1]
