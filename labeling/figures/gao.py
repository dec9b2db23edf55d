"""PURE. The curves of Gao et al. 2023 through points that are uncertain, and where a policy should stop.

d = sqrt(KL), in nats to the power of a half. `training.contract.overoptimization` says what the curves are; here they
are fitted many times over, to weighted or to redrawn points, for intervals. With `offset` a constant is fitted as well:
in a run's metrics the reward at d = 0 is itself only an estimate.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.contract.overoptimization import BEST_OF_N, Curve

Floats = NDArray[np.float64]
DRAWS = 1000
DESCRIBES = 0.5  # of the variation between the points: a curve that explains less says nothing about its turn


class Fit(NamedTuple):
    """Each pair is a 95 % interval. `peak` and its interval are in nats, infinite for a curve that never turns."""

    curve: Curve
    offset: float
    alpha: tuple[float, float]
    beta: tuple[float, float]
    peak: float
    peak_interval: tuple[float, float]
    explained: float  # of the variance of the points, by the curve; NaN where they do not vary
    distances: int  # different ones
    furthest: float  # KL, in nats

    def at(self, kl: float) -> float:
        return self.offset + self.curve.gold(kl)


class Proposal(NamedTuple):
    """Where to stop, in nats, with a 95 % interval; or, without `kl`, why the data do not say."""

    kl: float | None
    low: float | None
    high: float | None
    sentence: str


def fit(
    method: str, kls: Floats, gains: Floats, *, weights: Floats | None = None, drawn: Floats | None = None,
    offset: bool = False,
) -> Fit | None:  # fmt: skip
    """Least squares through points of KL [N], in nats, and gain [N]; the intervals from `weights` [draws, N] of the
    points or from gains that were `drawn` anew [draws, N]. None for fewer distances than there are unknowns.
    """
    columns = design(method, kls, offset)
    distances = len(np.unique(np.round(columns[:, 0], 9)[columns[:, 0] > 0]))
    if distances < columns.shape[1]:
        return None
    first = _solved(columns, np.ones((1, len(kls))), gains[None])[0]
    many = _solved(
        columns, np.ones((1, len(kls))) if weights is None else weights, gains[None] if drawn is None else drawn
    )
    left = gains - columns @ first
    spread = float(((gains - gains.mean()) ** 2).sum())
    explained = 1 - float((left**2).sum()) / spread if spread > 0 else float("nan")
    peaks = turns(method, many[:, 0], many[:, 1])
    # A limit of infinity must not become NaN between two draws.
    low, high = np.quantile(peaks, [0.025, 0.975], method="nearest")
    return Fit(
        Curve(method, float(first[0]), float(first[1])),
        float(first[2]) if offset else 0.0,
        _middle(many[:, 0]),
        _middle(many[:, 1]),
        float(turns(method, first[:1], first[1:2])[0]),
        (float(low), float(high)),
        explained,
        distances,
        float(np.maximum(kls, 0).max()),
    )


def design(method: str, kls: Floats, offset: bool) -> Floats:
    """[N, 2 or 3]: what alpha, beta and the offset are multiplied with."""
    d = np.sqrt(np.maximum(kls, 0.0))
    second = d * d if method == BEST_OF_N else d * np.log(np.where(d > 0, d, 1.0))
    return np.stack([d, -second, *([np.ones_like(d)] if offset else [])], axis=1)


def turns(method: str, alpha: Floats, beta: Floats) -> Floats:
    """The KL at which each curve is highest, in nats."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = alpha / beta
        d = np.maximum(ratio / 2, 0.0) if method == BEST_OF_N else np.exp(ratio - 1)
        return np.where(beta > 0, d**2, np.inf)


def blocks(count: int, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """How often each of `count` neighbouring iterations is drawn, [draws, count]: a bootstrap of moving blocks, since
    what is measured in one iteration resembles the next."""
    length = max(1, round(count ** (1 / 3)))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, count - length + 1, size=(draws, -(-count // length)))
    drawn = starts[:, :, None] + np.arange(length) + (np.arange(draws) * count)[:, None, None]
    return np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count).astype(float)


def propose(found: Fit | None, what: str, *, fewest: int) -> Proposal:
    """The turn of a curve through `what` (as “the people's preference”), if `fewest` distances or more and the fit
    support it."""
    if found is None or found.distances < fewest:
        count = found.distances if found else 0
        known = f"is known at {count} distance{'' if count == 1 else 's'}" if count else "is known at too few distances"
        return _none(f"Nothing is proposed: {what} {known}; it takes {fewest} or more.")
    if not found.explained >= DESCRIBES:
        share = "none" if np.isnan(found.explained) else f"{max(0.0, found.explained):.0%}"
        return _none(
            f"Nothing is proposed: the curve explains {share} of how {what} differs from distance to distance. "
            "A curve that does not describe the points has no turn worth trusting."
        )
    low, high = found.peak_interval
    if max(found.curve.gold(found.furthest * step / 100) for step in range(1, 101)) <= 0:
        return _none(
            f"Nothing is proposed: by the curve {what} falls from the start on, as far as it was measured "
            f"({found.furthest:.2g} nats). Pushing further does harm."
        )
    if found.peak > found.furthest:
        return _none(
            f"Nothing is proposed: by the curve {what} still rises at {found.furthest:.2g} nats, the furthest there is."
        )
    if high > found.furthest:
        return _none(
            f"Nothing is proposed: the curve turns at {found.peak:.2g} nats, but its 95 % interval ({low:.2g} to "
            f"{_said(high)}) reaches beyond the furthest point, {found.furthest:.2g} nats."
        )
    return Proposal(found.peak, low, high, f"{what[:1].upper()}{what[1:]} is highest near {found.peak:.2g} nats.")


def _none(sentence: str) -> Proposal:
    return Proposal(None, None, None, sentence)


def _said(kl: float) -> str:
    return "no turn at all" if np.isinf(kl) else f"{kl:.2g}"


def _solved(columns: Floats, weights: Floats, gains: Floats) -> Floats:
    """The coefficients of every draw, [draws, unknowns]: one of weights and gains may be the same for all."""
    products = columns[:, :, None] * columns[:, None, :]
    p = columns.shape[1]
    left = (weights @ products.reshape(len(columns), p * p)).reshape(-1, p, p)
    right = (weights * gains) @ columns
    left = np.broadcast_to(left, (len(right), p, p))
    solved: Floats = (np.linalg.pinv(left, hermitian=True) @ right[:, :, None])[:, :, 0]
    return solved


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
