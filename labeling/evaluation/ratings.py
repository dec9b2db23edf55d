"""PURE. What was said of each policy's completions alone: the rating from 1 to 7 and the flags of Table 3."""

import numpy as np

from labeling.evaluation import crossed
from labeling.evaluation.columns import Observed
from labeling.evaluation.crossed import Estimate, Floats


def rating(seen: Observed, policy: int) -> Estimate | None:
    """The mean rating; None where nobody rated."""
    return _mean(seen, seen.ratings[:, policy], share=False)


def rating_apart(seen: Observed, policy: int, other: int) -> Estimate | None:
    """The mean of the differences within a ranking: the labeler's own use of the scale falls out of it."""
    return _mean(seen, seen.ratings[:, policy] - seen.ratings[:, other], share=False)


def flagged(seen: Observed, key: str, policy: int) -> Estimate | None:
    """The share of completions with the flag; None where nobody was asked."""
    return _mean(seen, seen.flags[key][:, policy])


def flagged_apart(seen: Observed, key: str, policy: int, other: int) -> Estimate | None:
    """The difference of the shares, by completions of the same prompt that the same labeler saw."""
    return _mean(seen, seen.flags[key][:, policy] - seen.flags[key][:, other], share=False)


def _mean(seen: Observed, values: Floats, *, share: bool = True) -> Estimate | None:
    known = ~np.isnan(values)
    if not known.any():
        return None
    return crossed.mean(values[known], seen.prompt[known], seen.labeler[known], share=share)
