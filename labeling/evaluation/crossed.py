"""PURE. Intervals for figures that rest on a sample of prompts judged by a sample of labelers: two ways of clustering.

Two judgements are not independent where they share the prompt or the labeler. The variance of a figure is that of
Cameron, Gelbach & Miller (2011, 'Robust inference with multiway clustering'): by prompts, plus by labelers, less what
both count. With few labelers their plain sums are too small and the normal quantile too short, so

- each part is divided by what it is expected to fall short by, because its mean was fitted (with m clusters of equal
  size the factor is m / (m - 1));
- the quantile is Student's t, its degrees of freedom by Satterthwaite's rule over the parts. Of a part they are
  tr(A)² / tr(A²) (Bell & McCaffrey 2002), A being the quadratic form of its cluster means: m - 1 with equal sizes;
- a share's interval is laid on the scale of the logit, so that it stays between 0 and 1.

`benchmarks/winrate.py` measures how often such an interval holds the truth, and what other ways do.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

LEVEL = 0.95
NOBODY = -1  # the labeler of a prompt on which all policies said the same: nobody had to be asked
FEWEST_PROMPTS, FEWEST_LABELERS = 5, 2
FEW_PROMPTS = f"fewer than {FEWEST_PROMPTS} prompts are judged"
FEW_LABELERS = f"fewer than {FEWEST_LABELERS} labelers have judged"
ALL_ALIKE = "all judgements here say the same: the interval takes prompts as independent, and labelers as one"


class Estimate(NamedTuple):
    """A figure with its 95 % interval and what it rests on; without an interval `why` says what is missing."""

    value: float
    low: float | None
    high: float | None
    se: float | None
    df: float | None
    prompts: int
    labelers: int
    labels: int
    why: str = ""


class Variance(NamedTuple):
    """Of an estimator: the whole, its degrees of freedom, and the parts by prompts, labelers and single labels."""

    whole: float
    df: float
    prompts: float
    labelers: float
    labels: float


class Part(NamedTuple):
    variance: float
    df: float


def mean(values: Floats, prompt: Ints, labeler: Ints, *, share: bool = True, weights: Floats | None = None) -> Estimate:
    """The mean of `values` [N] with its interval; `prompt` and `labeler` [N] say what each belongs to.

    `weights` [N] count a value several times (one by default). With `share` the values lie between 0 and 1. Raises
    ValueError where there are none.
    """
    if not len(values):
        raise ValueError("There is nothing to estimate from.")
    counted = np.ones(len(values)) if weights is None else weights
    value = float(counted @ values / counted.sum())
    prompts, labelers = len(np.unique(prompt)), len(np.unique(labeler[labeler != NOBODY]))
    rests: dict[str, Any] = {"prompts": prompts, "labelers": labelers, "labels": int((labeler != NOBODY).sum())}
    if why := too_few(prompts, labelers):
        return Estimate(value, None, None, None, None, **rests, why=why)
    if np.ptp(values) == 0:
        low, high = _of_unanimity(value, prompts) if share else (None, None)
        why = ALL_ALIKE if share else "all judgements here say the same"
        return Estimate(value, low, high, None, None, **rests, why=why)
    found = variance(counted * (values - value) / counted.sum(), counted, prompt, labeler)
    low, high = interval(value, found, share=share)
    return Estimate(value, low, high, math.sqrt(found.whole), found.df, **rests)


def too_few(prompts: int, labelers: int) -> str:
    """Why no interval can be given; empty where one can."""
    if prompts < FEWEST_PROMPTS:
        return FEW_PROMPTS
    return FEW_LABELERS if labelers < FEWEST_LABELERS else ""


def variance(influence: Floats, weights: Floats, prompt: Ints, labeler: Ints) -> Variance:
    """Of an estimator, from the influence of each observation on it [N], which sum to 0, and their weights [N]."""
    own = labeler.copy()
    own[labeler == NOBODY] = labeler.max(initial=0) + 1 + np.arange(int((labeler == NOBODY).sum()))
    by_prompt = _part(influence, weights, prompt)
    by_labeler = _part(influence, weights, own, counts=labeler != NOBODY)
    by_label = _part(influence, weights, np.arange(len(influence)))
    parts = (by_prompt, by_labeler, by_label)
    # What sampling makes of a difference of sums of squares may be too small to be believed, or below 0.
    whole = max(by_prompt.variance + by_labeler.variance - by_label.variance, by_label.variance / 2)
    df = whole**2 / sum(part.variance**2 / part.df for part in parts) if whole else math.inf
    return Variance(whole, df, *(part.variance for part in parts))


def interval(value: float, found: Variance, *, share: bool = True) -> tuple[float, float]:
    """Value ± t · standard error; of a share on the logit's scale, where one unit is value (1 - value) of its own."""
    half = float(stats.t.ppf(0.5 + LEVEL / 2, found.df)) * math.sqrt(found.whole)
    if not share:
        return value - half, value + half
    spread = value * (1 - value)
    middle, reach = math.log(value / (1 - value)), half / spread
    return _share(middle - reach), _share(middle + reach)


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def _of_unanimity(value: float, prompts: int) -> tuple[float | None, float | None]:
    """Clopper & Pearson's (1934) bound where every prompt was won, or every one lost; none where all were tied."""
    away = (0.5 - LEVEL / 2) ** (1 / prompts)
    if value == 1:
        return away, 1.0
    return (0.0, 1 - away) if value == 0 else (None, None)


def _part(influence: Floats, weights: Floats, cluster: Ints, counts: NDArray[np.bool_] | None = None) -> Part:
    """The sum of squares over clusters, freed of its bias. `counts` [N]: what has a cluster to speak of; the others
    are one each, and the sizes of the clusters are those of the first alone."""
    _, at = np.unique(cluster, return_inverse=True)
    squares = float((np.bincount(at, influence) ** 2).sum())
    if counts is not None:
        _, at = np.unique(cluster[counts], return_inverse=True)
        weights = weights[counts]
    size = np.bincount(at, weights) / weights.sum()
    short, df = _shortfall(size)
    return Part(squares / short, df)


def _shortfall(size: Floats) -> tuple[float, float]:
    """What share of Σ size² σ² the sum Σ size² (b - mean of b)² is expected to be, and its degrees of freedom.

    `size`: shares of the weight, [clusters], which sum to 1; b: independent, with the variance σ². With
    A = M' diag(size²) M and M = I - 1 size', the first is tr(A) / Σ size², the second tr(A)² / tr(A²).
    """
    squares = size**2
    c = squares.sum()
    moments = [float((squares * size**power).sum()) for power in range(3)]
    trace = moments[0] - 2 * moments[1] + c * moments[0]
    off = c**2 * moments[0] ** 2 - 4 * c * moments[0] * moments[1] + 2 * moments[0] * moments[2] + 2 * moments[1] ** 2
    of_square = off + float(((1 + 2 * (c - 2 * size)) * squares**2).sum())
    return float(trace / c), trace**2 / of_square
