"""The gold utility: what the simulated labelers, each with some noise and taste, are really after.

Everything is read off the two texts, so any text can be judged: of the policies, of a labeler, of a person who types
what she likes. A prompt that is not in the catalogue cannot be followed; its answers differ by manners alone.
"""

import itertools
import random
from dataclasses import dataclass
from functools import cache

from labeling.simulation.world.documents import clean_document
from labeling.simulation.world.knowledge import RUDE_WORDS, article, group_of, subjects
from labeling.simulation.world.prompts import catalogue
from labeling.simulation.world.text import letters, plain, sentences, words

FOLLOW, ODD, RUDE, BAD_END, REPEATED, NEWLINE = 3.0, 1.0, 2.0, 1.0, 0.7, 0.5
LONG_PER_WORD, LONG_LIMIT, UNKNOWN_MAX_WORDS = 0.08, 1.5, 40
ODD_LIMIT = 3  # unheard-of pairs of words until a text is plain salad


@dataclass(frozen=True)
class Judgement:
    """The parts of one verdict. `total` is the utility; the others are what it is made of."""

    total: float
    follow: float  # 0..1
    exact: bool  # exactly what was asked, and nothing to object to
    odd: float  # 0..1: pairs of neighboring words that nobody writes, three or more are 1
    long: float  # penalty for words over what the task needs
    rude: bool
    bad_end: bool  # no full stop, question mark or exclamation mark at the end: cut off
    repeated: bool
    newline: bool


@cache
def attested() -> frozenset[tuple[str, str]]:
    """Pairs of neighboring words of clean documents and of reference answers."""
    rng = random.Random("attested")
    texts = [clean_document(rng) for _ in range(8_000)]
    texts += [prompt.task.reference(rng) for prompt in catalogue().values()]
    return frozenset(pair for text in texts for pair in _pairs(text))


@cache
def _kinds() -> dict[str, str]:
    """Subjects stand for their group, so that 'Japan, Greece' is as good as 'Spain, Greece'; 'a owl' is still odd."""
    return {subject.lower(): f"{group_of(subject)} {article(subject).partition(' ')[0]}" for subject in subjects()}


def _pairs(text: str) -> list[tuple[str, str]]:
    said = ["", *(_kinds().get(word, word) for word in words(text))]
    return list(itertools.pairwise(said))


def judge(prompt_text: str, completion_text: str) -> Judgement:
    prompt = catalogue().get(prompt_text.strip())
    text = completion_text.strip()
    follow = prompt.task.follow(text) if prompt else 0.0
    unheard = sum(pair not in attested() for pair in _pairs(text))
    odd = min(unheard, ODD_LIMIT) / ODD_LIMIT
    surplus = len(letters(text)) - (prompt.task.max_words if prompt else UNKNOWN_MAX_WORDS)
    long = min(LONG_LIMIT, LONG_PER_WORD * max(0, surplus))
    rude = not RUDE_WORDS.isdisjoint(letters(text))
    bad_end = not text.endswith((".", "!", "?"))
    said = [plain(part) for part in sentences(text)]
    repeated = len(set(said)) < len(said)
    newline = "\n" in text
    total = (
        FOLLOW * follow - ODD * odd - long - RUDE * rude - BAD_END * bad_end - REPEATED * repeated - NEWLINE * newline
    )
    exact = follow > 0.99 and not (rude or bad_end or repeated or newline or unheard)
    return Judgement(total, follow, exact, odd, long, rude, bad_end, repeated, newline)
