"""One world, made from a seed."""

import random
from dataclasses import dataclass

from labeling.simulation.world.documents import document
from labeling.simulation.world.labelers import SimulatedLabeler
from labeling.simulation.world.prompts import Prompt, draw


@dataclass(frozen=True)
class World:
    """The same seed gives the same texts, prompts and labelers, whatever is asked for first."""

    seed: int

    def corpus(self, count: int) -> list[str]:
        return self._documents("corpus", count)

    def valid_texts(self, count: int) -> list[str]:
        return self._documents("valid", count)

    def prompts(self, split: str, count: int) -> list[Prompt]:
        """Different prompts of a split. Raises ValueError where the split has fewer."""
        return draw(random.Random(f"{self.seed} prompts {split}"), split, count)

    def labeler(self, number: int, cohort: str) -> SimulatedLabeler:
        return SimulatedLabeler(number, cohort, self.seed)

    def _documents(self, name: str, count: int) -> list[str]:
        rng = random.Random(f"{self.seed} {name}")
        return [document(rng) for _ in range(count)]
