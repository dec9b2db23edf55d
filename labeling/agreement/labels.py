"""PURE. The labels that agreement is computed from, as columns of numbers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.agreement.pairs import Rankings
from labeling.agreement.resampling import Ints


class Labels(NamedTuple):
    """The rankings of items that several labelers ranked.

    `ratings`: [R, K], 0: none. `flags`: [R, K], bit f is set where `flag_keys[f]` was ticked; `asked`: [R], bit f is
    set where it was asked. `about`: what else is known of each ranking, [R] each: `batch`, `round` (0: none),
    `guideline`, `use_case`, `purpose`, `cohort`, `made` (seconds since 1970). `items`, `completions` ([items, K], 0:
    none) and `labelers` are the ids behind the numbers in `rankings`.
    """

    rankings: Rankings
    ratings: NDArray[np.uint8]
    flags: Ints
    asked: Ints
    flag_keys: list[str]
    about: Mapping[str, Ints]
    items: Ints
    completions: Ints
    labelers: Ints
