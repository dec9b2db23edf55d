"""PURE. An interval for a mean over clusters: judgements of one prompt are not independent, prompts are."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 4_000_000  # resampling weights held in memory at a time
KEPT = 1_000_000  # weights that are worth keeping: a page has hundreds of means over as many prompts


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
    clusters = len(values)
    draws = [_kept(clusters, resamples, seed)] if clusters * resamples <= KEPT else _drawn(clusters, resamples, seed)
    means = []
    for drawn in draws:
        sums_and_counts = drawn.astype(float) @ np.stack([values, sizes], axis=1)
        means.append(sums_and_counts[:, 0] / sums_and_counts[:, 1])
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float(values.sum() / sizes.sum()), float(low), float(high), clusters)


def _drawn(clusters: int, resamples: int, seed: int) -> Iterator[NDArray[np.uint32]]:
    """How often each cluster is drawn, [resamples, clusters], in parts."""
    rng = np.random.default_rng(seed)
    even = np.full(clusters, 1 / clusters)
    at_once = max(1, CHUNK // clusters)
    for start in range(0, resamples, at_once):
        yield rng.multinomial(clusters, even, size=min(at_once, resamples - start)).astype(np.uint32)


@lru_cache(maxsize=8)
def _kept(clusters: int, resamples: int, seed: int) -> NDArray[np.uint32]:
    """They follow from these three alone. At most 32 MB in all."""
    return np.concatenate(list(_drawn(clusters, resamples, seed)))
