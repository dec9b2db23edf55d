"""PURE. How often one policy is preferred to another: a tie is half a win for each, and so are identical texts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from labeling.evaluation.bootstrap import Estimate, cluster_mean


class Judgement(NamedTuple):
    """One labeler's places for the policies' completions of one prompt; 1 is best, equal places are a tie."""

    prompt: str
    places: Mapping[str, int]


def win_rate(judgements: Iterable[Judgement], policy: str, other: str, *, seed: int = 0) -> Estimate:
    """How often `policy` is preferred to `other`, with an interval that resamples prompts.

    Raises ValueError where no judgement has both.
    """
    scores: dict[str, list[float]] = defaultdict(list)
    for prompt, places in judgements:
        if policy in places and other in places:
            scores[prompt].append(_score(places[policy], places[other]))
    prompts = sorted(scores)
    return cluster_mean([sum(scores[p]) for p in prompts], [len(scores[p]) for p in prompts], seed=seed)


def _score(place: int, other: int) -> float:
    return 0.5 if place == other else float(place < other)
