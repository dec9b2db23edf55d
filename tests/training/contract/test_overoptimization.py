"""Curves with coefficients that are known, values by hand; numpy's least squares where there is noise."""

import itertools
import math
import random
import statistics
import subprocess
import sys

import numpy as np
import pytest

from training.contract.overoptimization import BEST_OF_N, PPO, Curve, best_of_n, fit

E = math.e
# d = 0, 1, 2, 3 and d (1.2 - 0.3 d); d = 0, 1, e, e^2 and d (1 - 0.5 ln d)
EXACT = [
    (BEST_OF_N, [0, 1, 4, 9], [0, 0.9, 1.2, 0.9], 1.2, 0.3, 4.0, 1.2),
    (PPO, [0, 1, E**2, E**4], [0, 1, E / 2, 0], 1.0, 0.5, 7.3890561, 1.3591409),
]


@pytest.mark.parametrize(("method", "kls", "gains", "alpha", "beta", "kl", "gold"), EXACT)
def test_exact_points_give_back_the_coefficients_and_the_peak(
    method: str, kls: list[float], gains: list[float], alpha: float, beta: float, kl: float, gold: float
) -> None:
    curve = fit(method, kls, gains)
    assert (curve.alpha, curve.beta) == pytest.approx((alpha, beta), abs=1e-9)
    assert [curve.gold(one) for one in kls] == pytest.approx(gains, abs=1e-9)
    peak = curve.peak()
    assert peak is not None
    assert peak == pytest.approx((kl, gold), abs=1e-6)
    assert curve.gold(0.9 * kl) < gold > curve.gold(1.1 * kl)


@pytest.mark.parametrize("method", [BEST_OF_N, PPO])
def test_noisy_points_are_fitted_as_numpy_fits_them(method: str) -> None:
    rng = random.Random(4)
    kls = [rng.uniform(0.01, 30) for _ in range(40)]
    gains = [rng.gauss(0.5 * kl**0.5 - 0.02 * kl, 0.3) for kl in kls]
    d = np.sqrt(np.array(kls))
    columns = np.stack([d, -d * d if method == BEST_OF_N else -d * np.log(d)], 1)
    expected, *_ = np.linalg.lstsq(columns, np.array(gains), rcond=None)
    curve = fit(method, kls, gains)
    assert (curve.alpha, curve.beta) == pytest.approx(tuple(expected), abs=1e-9)


def test_a_curve_that_only_rises_has_no_peak_and_one_that_only_falls_has_it_at_the_start() -> None:
    assert Curve(BEST_OF_N, 1.0, 0.0).peak() is None
    assert Curve(PPO, 1.0, -0.1).peak() is None
    assert Curve(BEST_OF_N, -1.0, 0.5).peak() == (0, 0)


@pytest.mark.parametrize("kls", [[], [0, 0, -0.01], [2.0, 2.0, 2.0], [0, 2.0]])
def test_a_curve_needs_two_distances(kls: list[float]) -> None:
    with pytest.raises(ValueError, match="two distances"):
        fit(PPO, kls, [1.0] * len(kls))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_best_of_n_is_the_mean_over_every_draw(n: int) -> None:
    proxies, golds = [0.3, 2.0, 0.3, -1.0, 0.7], [5.0, 1.0, 2.0, 0.0, 3.0]
    found = best_of_n(proxies, golds, n)
    draws = list(itertools.combinations(range(5), n))
    best = [max(proxies[index] for index in draw) for draw in draws]
    # Of two samples with the proxy 0.3 either may come: 3.5 on average. (Where a draw holds both, as well.)
    gold_of = {2.0: 1.0, 0.7: 3.0, 0.3: 3.5, -1.0: 0.0}
    assert found[0] == pytest.approx(statistics.fmean(best))
    assert found[1] == pytest.approx(statistics.fmean(gold_of[one] for one in best))


def test_pages_can_use_it_without_torch() -> None:
    code = "import sys, training.contract.overoptimization; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
