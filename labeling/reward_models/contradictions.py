"""PURE. Where a reward model is confident that a labeler's order is the wrong way round.

For the completion that the labeler preferred and another one, delta is the other's reward less the preferred one's and
s = sqrt(spread² + spread²) how far the model's heads are apart on the two, as if they erred independently. The model
says the other is better with probability sigmoid(delta); it is *confident* by sigmoid(delta - s). A ranking appears
once, with the pair that the model contradicts most confidently.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from labeling.reward_models.scored import Scored

LEAST = 0.6  # confidence: below, the model has hardly said anything


class Contradiction(NamedTuple):
    """`preferred`, `other`: ids of completions, in the labeler's order; texts and places likewise."""

    ranking: int
    item: int
    batch: int
    prompt: str
    use_case: str
    cohort: str
    labeler: str
    preferred: int
    other: int
    preferred_text: str
    other_text: str
    preferred_place: int
    other_place: int
    k: int
    delta: float
    spread: float

    @property
    def probability(self) -> float:
        """With which the model says that the other is better."""
        return sigmoid(self.delta)

    @property
    def confidence(self) -> float:
        return sigmoid(self.delta - self.spread)


def contradictions(scored: Iterable[Scored], *, least: float = LEAST) -> list[Contradiction]:
    """The most confident first."""
    found = [one for ranking in scored if (one := _worst(ranking, least)) is not None]
    return sorted(found, key=lambda one: (-(one.delta - one.spread), one.ranking))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _worst(one: Scored, least: float) -> Contradiction | None:
    """None where nothing is contradicted with that confidence. A page looks through every ranking, so it is written
    for speed."""
    worst = (-math.inf, 0.0, 0.0, 0, 0)
    for preferred, place in enumerate(one.places):
        for other, theirs in enumerate(one.places):
            if place < theirs:
                delta = one.rewards[other] - one.rewards[preferred]
                spread = math.hypot(one.spreads[preferred], one.spreads[other])
                if delta - spread > worst[0]:
                    worst = (delta - spread, delta, spread, preferred, other)
    margin, delta, spread, preferred, other = worst
    if margin == -math.inf or sigmoid(margin) < least:
        return None
    return Contradiction(
        ranking=one.ranking,
        item=one.item,
        batch=one.batch,
        prompt=one.prompt,
        use_case=one.use_case,
        cohort=one.cohort,
        labeler=one.labeler,
        preferred=one.completions[preferred],
        other=one.completions[other],
        preferred_text=one.texts[preferred],
        other_text=one.texts[other],
        preferred_place=one.places[preferred],
        other_place=one.places[other],
        k=one.k,
        delta=delta,
        spread=spread,
    )
