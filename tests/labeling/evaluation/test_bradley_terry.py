"""Strengths by hand and by another optimizer."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from labeling.evaluation import bradley_terry
from labeling.evaluation.bradley_terry import APART, UNDEFEATED, WINLESS, strengths


def judged(*orders: list[float], times: int = 1) -> tuple[np.ndarray, ...]:
    """Each order of places is a prompt of its own, by one of four labelers."""
    places = np.array(orders * times, dtype=float)
    count = np.arange(len(places))
    return places, count, count % 4, np.ones(len(places))


def test_two_policies_have_the_log_odds_of_their_wins() -> None:
    """30 wins, 10 losses: the difference is log 3, and each is half of it away from 0."""
    found = strengths(*judged([1, 2], [1, 2], [1, 2], [2, 1], times=10))
    assert [one.value for one in found] == [pytest.approx(math.log(3) / 2), pytest.approx(-math.log(3) / 2)]
    assert found[0].low is not None
    assert found[0].high is not None
    assert found[0].low < found[0].value < found[0].high


def test_a_tie_is_half_a_win_for_each() -> None:
    """2 wins, 1 loss, 2 ties: odds of 3 to 2."""
    found = strengths(*judged([1, 2], [1, 2], [2, 1], [1, 1], [1, 1], times=4))
    assert found[0].value - found[1].value == pytest.approx(math.log(3 / 2))


def test_several_policies_are_where_another_optimizer_finds_them() -> None:
    rng = np.random.default_rng(1)
    places = np.argsort(np.argsort(-(np.array([0.0, 0.5, 1.0]) + rng.gumbel(size=(200, 3))), axis=1), axis=1) + 1.0

    def cost(free: np.ndarray) -> float:
        s = np.array([*free, -free.sum()])
        pairs = itertools.permutations(range(3), 2)
        return sum(
            float((places[:, a] < places[:, b]).sum() * math.log1p(math.exp(s[b] - s[a]))) for a, b in pairs
        )  # fmt: skip

    best = minimize(cost, np.zeros(2)).x
    found = strengths(places, np.arange(200), np.arange(200) % 8, np.ones(200))
    assert [one.value for one in found] == pytest.approx([*best, -best.sum()], abs=1e-3)


def test_the_interval_is_that_of_the_win_rate_on_its_scale() -> None:
    """Two policies: the difference's standard error is the win rate's over p (1 - p), half of it each."""
    from labeling.evaluation import crossed

    places, prompt, labeler, weights = judged([1, 2], [1, 2], [1, 2], [2, 1], [2, 1], times=20)
    win = crossed.mean((places[:, 0] < places[:, 1]).astype(float), prompt, labeler)
    found = strengths(places, prompt, labeler, weights)[0]
    assert win.se is not None
    assert found.se == pytest.approx(win.se / (0.6 * 0.4) / 2)
    assert found.df == pytest.approx(win.df)


def test_the_undefeated_have_no_strength_and_a_reason() -> None:
    found = strengths(*judged([1, 2, 3], [1, 3, 2], times=10))
    assert math.isnan(found[0].value)
    assert found[0].why == UNDEFEATED
    assert [one.value for one in found[1:]] == pytest.approx([0, 0])


def test_who_never_wins_has_none_either() -> None:
    found = strengths(*judged([1, 2, 3], [2, 1, 3], times=10))
    assert found[2].why == WINLESS


def test_policies_that_never_met_are_apart() -> None:
    nan = math.nan
    found = strengths(*judged([1, 2, nan, nan], [2, 1, nan, nan], [nan, nan, 1, 2], [nan, nan, 2, 1], times=5))
    assert [one.why for one in found].count(APART) == 2


def test_wins_are_one_a_half_and_none() -> None:
    found = bradley_terry.wins(np.array([[1.0, 2, 2], [3, 1, math.nan]]))
    assert found[0].tolist() == [1, 1, 0.5]
    assert found[1][0] == 0
    assert np.isnan(found[1][1:]).all()
