"""Simulated labelers: they mean well, differ in taste, and make mistakes.

Noise is keyed by labeler, prompt and text, never by the order of calls: a labeler who is shown the same text twice
feels the same about it, and a population gives the same labels whatever process asks first.
"""

import hashlib
import math
import random
from dataclasses import dataclass, field

from labeling.simulation.world.prompts import Prompt, catalogue, of_use_case
from labeling.simulation.world.text import letters
from labeling.simulation.world.utility import judge

NOISE = 0.4  # scale of the Gumbel noise; two labelers then agree on about three pairs of four, as in the paper
TIE_WIDTH = 0.12  # closer feelings than this are a tie
# What a demonstration turns out as: the flaws leave room for learning from preferences.
DEMONSTRATION_FLAWS = {"clean": 72, "rambling": 12, "wrong": 6, "preamble": 6, "doubled": 4}
PREAMBLES = ("Good question.", "I know this.", "Here is my answer.")
RAMBLINGS = ("Many people like it.", "There is a lot to say about it.", "Some people do not know this.")


@dataclass(frozen=True)
class Taste:
    """What one labeler weighs differently from the gold utility."""

    tau: float
    whole_sentence: float
    per_word: float
    rude: float
    follow: float


@dataclass(frozen=True)
class SimulatedLabeler:
    number: int
    cohort: str  # train or heldout
    seed: int
    taste: Taste = field(init=False)

    def __post_init__(self) -> None:
        rng = self._rng("taste")
        taste = Taste(
            tau=NOISE * math.exp(rng.gauss(0.0, 0.25)),
            whole_sentence=rng.gauss(0.1, 0.25),
            per_word=rng.gauss(0.0, 0.02),
            rude=rng.gauss(0.0, 0.4),
            follow=rng.gauss(0.0, 0.3),
        )
        object.__setattr__(self, "taste", taste)

    def write(self, prompt_text: str) -> str:
        """A demonstration: mostly a careful answer, now and then with a human flaw."""
        rng = self._rng("write", prompt_text)
        prompt = catalogue().get(prompt_text.strip())
        if prompt is None:
            return rng.choice(("I do not know.", "I am sorry. I do not know this."))
        flaw = rng.choices(list(DEMONSTRATION_FLAWS), weights=list(DEMONSTRATION_FLAWS.values()))[0]
        answer = prompt.task.reference(rng)
        if flaw == "rambling":
            return f"{answer} {rng.choice(RAMBLINGS)}"
        if flaw == "wrong":
            return _sibling(prompt, rng).task.reference(rng)
        if flaw == "preamble":
            return f"{rng.choice(PREAMBLES)} {answer}"
        if flaw == "doubled":
            return f"{answer} {answer}"
        return answer

    def feeling(self, prompt_text: str, completion_text: str) -> float:
        """How good this labeler finds a completion: gold utility, own taste, own noise."""
        verdict = judge(prompt_text, completion_text)
        said = letters(completion_text)
        taste = self.taste
        own = taste.follow * verdict.follow - taste.rude * verdict.rude + taste.per_word * min(len(said), 40)
        own += taste.whole_sentence * (len(said) >= 4)
        uniform = self._rng("feel", prompt_text.strip(), completion_text.strip()).random()
        gumbel = -math.log(-math.log(max(uniform, 1e-12)))
        return verdict.total + own + taste.tau * gumbel

    def place(self, prompt_text: str, completions: list[str]) -> list[int]:
        """The place of each completion, 1 is best; equal places are a tie, and no place is left out."""
        feelings = [self.feeling(prompt_text, text) for text in completions]
        order = sorted(range(len(completions)), key=lambda index: -feelings[index])
        places = [0] * len(completions)
        place, top = 0, math.inf
        for index in order:
            if top - feelings[index] > TIE_WIDTH:
                place, top = place + 1, feelings[index]
            places[index] = place
        return places

    def _rng(self, *key: str) -> random.Random:
        text = "\x1f".join((str(self.seed), self.cohort, str(self.number), *key))
        return random.Random(int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big"))


def _sibling(prompt: Prompt, rng: random.Random) -> Prompt:
    """Another prompt of the same kind: answering it is the mistake of somebody who did not read well."""
    return rng.choice([other for other in of_use_case(prompt.split, prompt.use_case) if other.kind == prompt.kind])
