"""PURE. What people's judgements say of the gain over the start, on the scale of a reward.

A reward model is trained so that sigmoid(difference of two rewards) is the probability that people prefer one (Ouyang
et al. 2022, equation 1). So a win rate w against the start is a gain of log(w / (1 - w)), in the reward's own unit, and
0 at a distance of 0. Half a win is added to both sides: else a rate of 1 would be infinite.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from labeling.figures.gao import DRAWS, Floats
from training.contract.overoptimization import best_of_n

MOST_RANKINGS = 2000  # for best of n: of more the point would hardly move


class Gains(NamedTuple):
    """`gains` [points], `drawn` [draws, points]: the same prompts are drawn for all points."""

    rates: Floats
    gains: Floats
    drawn: Floats
    prompts: list[int]

    def interval(self, at: int) -> tuple[float, float]:
        low, high = np.quantile(self.drawn[:, at], [0.025, 0.975])
        return float(low), float(high)


def gains(points: Sequence[Mapping[str, Sequence[float]]], *, seed: int = 0) -> Gains:
    """Of each point's scores by prompt (1: preferred to the start, 0: not, ½: a tie), of which there are some."""
    prompts = sorted({prompt for point in points for prompt in point})
    at = {prompt: place for place, prompt in enumerate(prompts)}
    wins, counts = np.zeros((len(prompts), len(points))), np.zeros((len(prompts), len(points)))
    for column, point in enumerate(points):
        for prompt, scores in point.items():
            wins[at[prompt], column] = sum(scores)
            counts[at[prompt], column] = len(scores)
    weights = np.random.default_rng(seed).multinomial(len(prompts), np.full(len(prompts), 1 / len(prompts)), DRAWS)
    total_wins, total = wins.sum(0), counts.sum(0)
    return Gains(
        total_wins / total,
        _log_odds(total_wins, total),
        _log_odds(weights @ wins, weights @ counts),
        [len(point) for point in points],
    )


def best_of(rankings: Sequence[tuple[str, Sequence[float], Sequence[int]]]) -> dict[int, dict[str, list[float]]]:
    """By n: how often people prefer the best of n by the reward to a random other one of the ranking, by prompt.

    Each ranking: prompt, rewards, places. An n that fewer than half of the rankings have completions for is left out:
    it would be measured on other prompts than the rest.
    """
    rankings = rankings[:MOST_RANKINGS]
    found: dict[int, dict[str, list[float]]] = {}
    sizes = [len(rewards) for _, rewards, _ in rankings]
    for n in range(2, max(sizes, default=1) + 1):
        if 2 * sum(size >= n for size in sizes) < len(sizes):
            break
        found[n] = {}
        for prompt, rewards, places in rankings:
            if len(rewards) >= n:
                found[n].setdefault(prompt, []).append(best_of_n(rewards, standing(places), n)[1])
    return found


def standing(places: Sequence[int]) -> list[float]:
    """How often each completion beats a random other one of its ranking; a tie counts half."""
    points = [[1.0 if mine < other else 0.5 if mine == other else 0.0 for other in places] for mine in places]
    return [(sum(row) - 0.5) / (len(places) - 1) for row in points]


def _log_odds(wins: Floats, total: Floats) -> Floats:
    return np.asarray(np.log((wins + 0.5) / (total - wins + 0.5)))
