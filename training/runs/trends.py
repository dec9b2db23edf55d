"""Trends of a noisy curve: running medians, what lasts, what it began with. Pure."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from training.runs.series import Curve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Steps = npt.NDArray[np.int64]
Curves = Mapping[str, Curve]

WINDOW = 5  # points of a running median
LASTING = 3  # points in a row, up to the last one


def finite(curve: Curve) -> tuple[Steps, Floats]:
    """The points that are numbers."""
    kept = np.isfinite(curve.values)
    return curve.steps[kept], curve.values[kept]


def smooth(curves: Curves, name: str) -> tuple[Steps, Floats] | None:
    """Running medians of the last WINDOW points, at each point that has so many; None without any."""
    if name not in curves:
        return None
    steps, values = finite(curves[name])
    if len(values) < WINDOW:
        return None
    return steps[WINDOW - 1 :], np.median(np.lib.stride_tricks.sliding_window_view(values, WINDOW), axis=1)


def per_token(curves: Curves, steps: Steps, values: Floats) -> Floats | None:
    """Values of an episode over the mean length of a response; None where that is not measured."""
    length = smooth(curves, "val/response_length")
    if length is None:
        return None
    return values / np.maximum(np.interp(steps, length[0], length[1]), 1.0)


def at_first(values: Floats) -> float:
    """What a curve begins with."""
    return float(np.median(values[:WINDOW]))


def lasting(flags: Flags) -> int | None:
    """Where the unbroken run of true flags that ends with the last one begins, if it is LASTING long."""
    broken = np.flatnonzero(~flags)
    start = int(broken[-1]) + 1 if len(broken) else 0
    return start if len(flags) - start >= LASTING else None


def mean_between(curve: Curve, steps: Steps) -> float:
    """Over the points from the first of `steps` to the last; NaN without any."""
    at, values = finite(curve)
    inside = values[(at >= steps[0]) & (at <= steps[-1])]
    return float(inside.mean()) if len(inside) else float("nan")
