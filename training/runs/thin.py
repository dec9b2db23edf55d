"""Few points that look like many: what a plot of a long curve is drawn from. Pure."""

from itertools import accumulate

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def thin(x: Floats, y: Floats, buckets: int) -> Places:
    """Places of the points to draw, in order: of each of `buckets` equal parts of the range of x the lowest, the
    highest, and the first that is not a number; and the ends. A spike of one point stays, and so does a gap.

    x: [points], ascending; y: [points]. At most 3 * buckets + 2 places; all of them where 2 * buckets are not exceeded.
    """
    count = len(x)
    if count <= 2 * buckets:
        return np.arange(count)
    width = (x[-1] - x[0]) / buckets or 1.0
    bucket = np.minimum((x - x[0]) // width, buckets - 1).astype(np.intp)
    is_number = np.isfinite(y)
    numbers, gaps = np.flatnonzero(is_number), np.flatnonzero(~is_number)
    kept = [np.array([0, count - 1]), gaps[_firsts(bucket[gaps])]]
    if len(numbers):
        starts = _firsts(bucket[numbers])
        sizes = np.diff(np.append(starts, len(numbers)))
        for extreme in (np.minimum, np.maximum):
            found = np.repeat(extreme.reduceat(y[numbers], starts), sizes)
            hits = numbers[y[numbers] == found]
            kept.append(hits[_firsts(bucket[hits])])
    return np.unique(np.concatenate(kept))


def _firsts(buckets: Places) -> Places:
    """Where in an ascending list of buckets each of them begins."""
    if not len(buckets):
        return buckets
    return np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))


def smoothed(values: Floats, weight: float) -> tuple[Floats, float]:
    """The exponential moving average of every value, and its state after the last, from which it can go on.

    state = weight * state + (1 - weight) * value, from 0, divided by 1 - weight^n for the zero that it began with
    (Kingma and Ba 2015, section 3). What is not a number stays so and is passed over.
    """
    is_number = np.isfinite(values)
    numbers = values[is_number]
    states = np.fromiter(
        accumulate(numbers.tolist(), lambda state, value: weight * state + (1 - weight) * value, initial=0.0),
        np.float64,
    )[1:]
    result = np.full(len(values), np.nan)
    result[is_number] = states / (1 - weight ** np.arange(1, len(numbers) + 1))
    return result, float(states[-1]) if len(states) else 0.0
