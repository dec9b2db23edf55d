"""How far a proxy reward can be pushed before the gold reward falls: the curves of Gao et al. 2023 (arXiv 2210.10760).

With d = sqrt(KL(policy || start)), in nats to the power of a half, and the gold reward counted from the start's:

    best of n   R(d) = d (alpha - beta d)       turns at d = alpha / (2 beta)
    PPO         R(d) = d (alpha - beta ln d)    turns at d = exp(alpha / beta - 1)

Both are linear in alpha, what optimization yields at first, and beta, how soon it is spent, so least squares finds
them. It stands beside `pairs.py` for the same reason: pages and benchmarks both use it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

BEST_OF_N, PPO = "best_of_n", "ppo"


class Peak(NamedTuple):
    kl: float  # nats
    gold: float  # gold reward over the start's


class Curve(NamedTuple):
    method: str  # BEST_OF_N or PPO
    alpha: float
    beta: float

    def gold(self, kl: float) -> float:
        """The gold reward over the start's at this distance, in nats."""
        first, second = _terms(self.method, kl)
        return self.alpha * first - self.beta * second

    def peak(self) -> Peak | None:
        """Where the gold reward is highest; None for a curve that never turns."""
        if self.beta <= 0:
            return None
        if self.method == BEST_OF_N:
            distance = max(0.0, self.alpha / (2 * self.beta))
        else:
            distance = math.exp(self.alpha / self.beta - 1)
        return Peak(distance**2, self.gold(distance**2))


def fit(method: str, kls: Sequence[float], gains: Sequence[float]) -> Curve:
    """The curve of least squared error through points of KL, in nats, and gold reward over the start's.

    An estimated KL may be a little below 0, which counts as 0. Raises ValueError for points that no single curve goes
    through best: fewer than two distances that are not 0.
    """
    points = [(*_terms(method, kl), gain) for kl, gain in zip(kls, gains, strict=True)]
    aa = sum(first * first for first, _, _ in points)
    ab = sum(first * second for first, second, _ in points)
    bb = sum(second * second for _, second, _ in points)
    ay = sum(first * gain for first, _, gain in points)
    by = sum(second * gain for _, second, gain in points)
    determinant = aa * bb - ab * ab
    if determinant <= 1e-12 * aa * bb or aa == 0:
        raise ValueError("A curve needs the gold reward at two distances at least.")
    return Curve(method, (ay * bb - by * ab) / determinant, (ay * ab - by * aa) / determinant)


def _terms(method: str, kl: float) -> tuple[float, float]:
    """What alpha and -beta are multiplied with."""
    distance = math.sqrt(max(0.0, kl))
    if method == BEST_OF_N:
        return distance, distance**2
    if method == PPO:
        return distance, distance * math.log(distance) if distance > 0 else 0.0
    raise ValueError(f"There is no method '{method}'; there are '{BEST_OF_N}' and '{PPO}'.")


def best_of_n(proxies: Sequence[float], golds: Sequence[float], n: int) -> tuple[float, float]:
    """Expected proxy and gold reward of the best of n by the proxy, from N >= n samples of one prompt.

    Not of one draw of n but the mean over all of them (Nakano et al. 2021, appendix I): the sample with the i-th lowest
    proxy is the best of n in C(i-1, n-1) of the C(N, n) draws. Of samples with equal proxies any may be taken.
    """
    order = sorted(range(len(proxies)), key=proxies.__getitem__)
    shares = [math.comb(rank, n - 1) / math.comb(len(order), n) for rank in range(len(order))]
    by_proxy: dict[float, list[float]] = {}
    for proxy, gold in zip(proxies, golds, strict=True):
        by_proxy.setdefault(proxy, []).append(gold)
    means = {proxy: math.fsum(found) / len(found) for proxy, found in by_proxy.items()}
    expected_proxy = math.fsum(share * proxies[index] for share, index in zip(shares, order, strict=True))
    expected_gold = math.fsum(share * means[proxies[index]] for share, index in zip(shares, order, strict=True))
    return expected_proxy, expected_gold
