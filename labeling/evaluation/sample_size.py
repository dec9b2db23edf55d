"""PURE. How many prompts and judges a win rate needs, from how much prompts and labelers differ.

A judgement is mean + prompt + labeler + rest, each with a variance of its own. With P prompts, J judges of each and L
labelers who share the work evenly, the mean's variance is prompt / P + labeler / L + rest / (P J): more prompts do not
help against the taste of few labelers, and more judges of a prompt not against few prompts.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import stats

from labeling.evaluation.crossed import LEVEL, NOBODY, Floats, Ints

POWER = 0.8
MOST_PROMPTS = 20_000


class Components(NamedTuple):
    """Variances of one judgement's win score (0, ½ or 1)."""

    prompt: float
    labeler: float
    rest: float
    judgements: int = 0  # how many past judgements (orders of two policies) it rests on; 0: assumed


# A win rate near one half without ties has the variance ¼. Of it a fifth for prompts and a twentieth for labelers is
# cautious: what prompts and labelers do not explain can be averaged away, what they do cannot.
ASSUMED = Components(prompt=0.05, labeler=0.0125, rest=0.1875)


class Alternative(NamedTuple):
    judges: int
    prompts: int
    labels: int
    half_width: float
    detects: float  # the difference from one half that is found with 80 % power
    hours: float


def components(values: Floats, prompt: Ints, labeler: Ints) -> Components | None:
    """By moments, as Gao & Owen (2017): half the mean squared difference of two judgements that share the prompt is
    labeler + rest, of two that share the labeler prompt + rest, and of any two the sum of all three (for those that
    share nothing). None where no prompt has two judges, or no labeler two prompts. What comes out negative is 0.
    """
    asked = labeler != NOBODY
    values, prompt, labeler = values[asked], prompt[asked], labeler[asked]
    same_prompt, pairs_prompt = _squares(values, prompt)
    same_labeler, pairs_labeler = _squares(values, labeler)
    everything, pairs = _squares(values, np.zeros_like(prompt))
    neither = pairs - pairs_prompt - pairs_labeler
    if not pairs_prompt or not pairs_labeler or neither <= 0:
        return None
    of_prompt, of_labeler = same_prompt / pairs_prompt, same_labeler / pairs_labeler
    of_neither = (everything - same_prompt - same_labeler) / neither
    by_prompt, by_labeler = max(0.0, of_neither - of_prompt), max(0.0, of_neither - of_labeler)
    return Components(by_prompt, by_labeler, max(0.0, of_neither - by_prompt - by_labeler), len(values))


def _squares(values: Floats, group: Ints) -> tuple[float, float]:
    """The sum of (a - b)² / 2 over the pairs within groups, and how many pairs there are."""
    _, at = np.unique(group, return_inverse=True)
    size, total, square = (np.bincount(at, weights) for weights in (None, values, values**2))
    return float((size * square - total**2).sum() / 2), float((size * (size - 1) / 2).sum())


def pooled(found: Iterable[Components]) -> Components:
    """The mean of several, by how many judgements each rests on; what is assumed where there are none."""
    parts = list(found)
    total = sum(part.judgements for part in parts)
    if not total:
        return ASSUMED
    prompt, labeler, rest = (
        sum(part[at] * part.judgements for part in parts) / total for at in range(3)
    )  # fmt: skip
    return Components(prompt, labeler, rest, total)


def standard_error(of: Components, prompts: int, judges: int, labelers: int) -> tuple[float, float]:
    """And its degrees of freedom, as `crossed.variance` will find them."""
    alone = (of.prompt + of.rest) / (prompts * judges)
    by_labeler = of.labeler / labelers + alone
    by_prompt = of.prompt / prompts + (of.labeler + of.rest) / (prompts * judges)
    by_label = (of.prompt + of.labeler + of.rest) / (prompts * judges)
    whole = of.prompt / prompts + of.labeler / labelers + of.rest / (prompts * judges)
    parts = by_labeler**2 / max(1, labelers - 1) + by_prompt**2 / max(1, prompts - 1)
    parts += by_label**2 / max(1, prompts * judges - 1)
    return math.sqrt(whole), whole**2 / parts if parts else math.inf


def half_width(of: Components, prompts: int, judges: int, labelers: int) -> float:
    """Half of the 95 % interval that is to be expected."""
    error, df = standard_error(of, prompts, judges, labelers)
    return float(stats.t.ppf(0.5 + LEVEL / 2, df)) * error


def detects(of: Components, prompts: int, judges: int, labelers: int) -> float:
    """The smallest difference from one half that is told from it with 80 % power."""
    error, df = standard_error(of, prompts, judges, labelers)
    return float(stats.t.ppf(0.5 + LEVEL / 2, df) + stats.t.ppf(POWER, df)) * error


def prompts_for(of: Components, wished: float, judges: int, labelers: int, *, power: bool = False) -> int | None:
    """The fewest prompts with which the half-width (with `power` the difference found) is `wished` or less.

    None where no number will do: what labelers differ by stays, however many prompts they judge.
    """
    measure = detects if power else half_width
    low, high = 1, MOST_PROMPTS
    if measure(of, high, judges, labelers) > wished:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if measure(of, middle, judges, labelers) <= wished else (middle + 1, high)
    return low


def alternatives(
    of: Components, wished: float, labelers: int, minutes: float, *, power: bool = False
) -> list[Alternative]:
    """The same precision with more judges a prompt and fewer prompts: 1 to 5 judges, as far as there are labelers."""
    found = []
    for judges in (1, 2, 3, 5):
        prompts = prompts_for(of, wished, judges, labelers, power=power) if judges <= labelers else None
        if prompts:
            found.append(alternative(of, prompts, judges, labelers, minutes))
    return found


def alternative(of: Components, prompts: int, judges: int, labelers: int, minutes: float) -> Alternative:
    labels = prompts * judges
    return Alternative(
        judges,
        prompts,
        labels,
        half_width(of, prompts, judges, labelers),
        detects(of, prompts, judges, labelers),
        labels * minutes / 60,
    )
