"""PURE. An interval for a mean over clusters: judgements of one prompt are not independent, prompts are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CHUNK = 4_000_000  # resampling weights held in memory at a time


class Estimate(NamedTuple):
    """A share with its 95 % interval, and how many clusters it rests on."""

    rate: float
    low: float
    high: float
    clusters: int


def cluster_mean(sums: Sequence[float], counts: Sequence[float], *, resamples: int = 2000, seed: int = 0) -> Estimate:
    """sum(sums) / sum(counts) with the percentile interval of a bootstrap that draws whole clusters.

    `sums[i]` is the sum of the values in cluster i, `counts[i]` > 0 how many there are. Raises ValueError where there
    are no clusters.
    """
    if not sums:
        raise ValueError("There is nothing to estimate from.")
    values, sizes = np.asarray(sums, dtype=float), np.asarray(counts, dtype=float)
    rng = np.random.default_rng(seed)
    clusters = len(values)
    even = np.full(clusters, 1 / clusters)
    means: list[np.ndarray] = []
    at_once = max(1, CHUNK // clusters)
    for start in range(0, resamples, at_once):
        drawn = rng.multinomial(clusters, even, size=min(at_once, resamples - start))
        means.append((drawn @ values) / (drawn @ sizes))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float(values.sum() / sizes.sum()), float(low), float(high), clusters)
