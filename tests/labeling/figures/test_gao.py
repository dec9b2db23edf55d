"""Curves with known coefficients and noise; scipy's least squares as the judge."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from labeling.figures import gao
from training.contract.overoptimization import BEST_OF_N, PPO

KLS = np.linspace(0.05, 30, 60)


def truth(kl: np.ndarray, alpha: float, beta: float, offset: float = 0.0) -> np.ndarray:
    """Gao's form for RL, written out anew."""
    return offset + np.sqrt(kl) * (alpha - beta * 0.5 * np.log(kl))


def best_of_n_truth(kl: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return alpha * np.sqrt(kl) - beta * kl


@pytest.mark.parametrize(("method", "curve"), [(PPO, truth), (BEST_OF_N, best_of_n_truth)])
def test_scipy_finds_the_same_coefficients(method: str, curve) -> None:  # type: ignore[no-untyped-def]
    gains = curve(KLS, 1.0, 0.3) + np.random.default_rng(1).normal(0, 0.2, len(KLS))
    expected, _ = curve_fit(lambda kl, alpha, beta: curve(kl, alpha, beta), KLS, gains)
    found = gao.fit(method, KLS, gains)
    assert found is not None
    assert (found.curve.alpha, found.curve.beta) == pytest.approx(tuple(expected), abs=1e-5)


def test_with_an_offset_scipy_finds_the_same_three() -> None:
    gains = truth(KLS, 0.8, 0.3, 2.0) + np.random.default_rng(2).normal(0, 0.1, len(KLS))
    expected, _ = curve_fit(truth, KLS, gains, p0=[1, 0, 0])
    found = gao.fit(PPO, KLS, gains, offset=True)
    assert found is not None
    assert (found.curve.alpha, found.curve.beta, found.offset) == pytest.approx(tuple(expected), abs=1e-5)
    left = gains - truth(KLS, *expected)
    assert found.explained == pytest.approx(1 - left.var() / gains.var(), abs=1e-6)


def test_intervals_cover_the_true_turn_as_often_as_they_say() -> None:
    """alpha 0.8, beta 0.4: d = e, KL = e² = 7.39. 95 % nominally; a percentile interval of 60 points falls a little
    short of that. Over 100 worlds 85 or more of them is not chance for a 95 %, nor for a 90 % interval."""
    rng, covered = np.random.default_rng(3), 0
    for world in range(100):
        gains = truth(KLS, 0.8, 0.4) + rng.normal(0, 0.15, len(KLS))
        found = gao.fit(PPO, KLS, gains, weights=gao.blocks(len(KLS), draws=200, seed=world), offset=True)
        assert found is not None
        covered += found.peak_interval[0] <= np.e**2 <= found.peak_interval[1]
    assert covered >= 85


def test_blocks_draw_neighbours_together_and_all_alike() -> None:
    weights = gao.blocks(27, draws=4000)
    assert weights.shape == (4000, 27)
    assert weights.sum(axis=1) == pytest.approx(27)  # 9 blocks of 3
    together = np.corrcoef(weights[:, 13], weights[:, 14])[0, 1]
    apart = np.corrcoef(weights[:, 5], weights[:, 20])[0, 1]
    assert together > 0.4 > 0.2 > abs(apart)


def fitted(kls: np.ndarray, gains: np.ndarray, noise: float = 0.02) -> gao.Fit | None:
    drawn = gains + np.random.default_rng(5).normal(0, noise, (gao.DRAWS, len(kls)))
    return gao.fit(PPO, kls, gains, drawn=drawn)


def test_a_turn_that_was_seen_is_proposed() -> None:
    kls = np.array([0.5, 2.0, 5.0, 10.0, 20.0, 40.0])
    proposal = gao.propose(fitted(kls, truth(kls, 0.8, 0.4)), "it", fewest=3)
    assert proposal.kl == pytest.approx(np.e**2, rel=1e-6)
    assert proposal.low is not None and proposal.high is not None
    assert proposal.low < np.e**2 < proposal.high < 40


@pytest.mark.parametrize(
    ("kls", "gains", "noise", "why"),
    [
        ([0.5, 2.0], [0.5, 0.9], 0.02, "known at 2 distances; it takes 3"),
        ([0.0, 0.0, 0.0], [0.5, 0.9, 0.7], 0.02, "too few distances"),
        ([0.5, 1.0, 2.0, 4.0], [0.4, 0.6, 0.85, 1.2], 0.02, "still rises"),
        ([0.5, 1.0, 2.0, 4.0], [-0.4, -0.6, -0.85, -1.2], 0.02, "falls from the start on"),
        ([1.0, 4.0, 9.0, 12.0], [0.8, 1.04, 1.08, 1.06], 0.3, "reaches beyond the furthest point"),
        ([1.0, 4.0, 9.0, 16.0, 25.0], [0.5, -0.5, 0.5, -0.5, 0.5], 0.02, "explains"),
    ],
)
def test_what_the_data_do_not_support_is_not_proposed(
    kls: list[float], gains: list[float], noise: float, why: str
) -> None:
    proposal = gao.propose(fitted(np.array(kls), np.array(gains), noise), "it", fewest=3)
    assert proposal.kl is None
    assert why in proposal.sentence


def test_flat_points_are_described_by_nothing() -> None:
    found = gao.fit(BEST_OF_N, np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert found is not None and np.isnan(found.explained)
    assert "explains none" in gao.propose(found, "it", fewest=3).sentence
