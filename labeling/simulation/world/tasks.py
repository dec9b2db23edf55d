"""What a prompt asks for: how a good answer looks, and how far a given text follows.

Every task answers two questions. `reference(rng)` is a text a careful labeler would write. `follow(text)` is a number
between 0 and 1 and never raises, whatever the text: 1 is exactly what was asked, 0 is beside the point.
"""

import random
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from labeling.simulation.world import scenes
from labeling.simulation.world.knowledge import (
    ANIMALS,
    FOODS,
    NAMES,
    PLACES,
    article,
    facts,
    facts_about,
    pronoun,
    sentence,
    subjects,
    with_pronoun,
)  # fmt: skip
from labeling.simulation.world.text import contains, letters, plain, sentences


class Task(Protocol):
    @property
    def max_words(self) -> int: ...

    def reference(self, rng: random.Random) -> str: ...

    def follow(self, text: str) -> float: ...


@cache
def content_words() -> frozenset[str]:
    """Words that say something: naming one that was not asked for is a mistake."""
    found = {word for subject in subjects() for word in letters(subject)}
    found |= {word for fact in facts() for word in letters(fact.key)}
    found |= {word.lower() for word in (*NAMES, *PLACES)}
    found |= {word for pair in (*scenes.MOVES.items(), *scenes.MEALS.items()) for word in letters(" ".join(pair))}
    found |= {*scenes.EVENTS, "glad", "sorry", "good", "bad"}
    return frozenset(found - {"to"})


@dataclass(frozen=True)
class AnswerTask:
    """One answer, in a whole sentence or short; a question, a rewrite, a summary, a kind reply."""

    whole: tuple[str, ...]
    short: tuple[str, ...]
    keywords: tuple[str, ...]  # what an answer in other words has to contain
    given: str = ""  # the prompt: its words may be repeated
    brief: bool = False  # "Answer in one word"

    @property
    def max_words(self) -> int:
        return max(len(letters(answer)) for answer in (*self.whole, *self.short)) + 2

    def reference(self, rng: random.Random) -> str:
        if self.brief or (self.short and rng.random() < 0.3):
            return rng.choice(self.short)
        return rng.choice(self.whole)

    def follow(self, text: str) -> float:
        answers = self.short if self.brief else (*self.whole, *self.short)
        if plain(text) in {plain(answer) for answer in answers}:
            return 1.0
        share = sum(contains(text, word) for word in self.keywords) / len(self.keywords)
        if self.brief:
            return 0.3 * share
        allowed = set(letters(self.given)).union(*(letters(answer) for answer in answers))
        foreign = set(letters(text)) & content_words() - allowed
        return (0.2 if foreign else 0.6) * share


@dataclass(frozen=True)
class ListTask:
    """So many things of a kind: 'A fox, an owl and a bear.'"""

    size: int
    valid: tuple[str, ...]
    proper: bool = False  # countries and languages take no article

    @property
    def max_words(self) -> int:
        return 3 * self.size + 2

    def reference(self, rng: random.Random) -> str:
        return enumeration(rng.sample(self.valid, self.size), proper=self.proper)

    def follow(self, text: str) -> float:
        named = [word for word in letters(text) if word in content_words()]
        valid = {word.lower() for word in self.valid}
        right = {word for word in named if word in valid}
        wrong = sum(word not in valid for word in named)
        repeated = len(named) - wrong - len(right)
        surplus = max(0, len(right) - self.size)
        return _share(min(len(right), self.size) - wrong - 0.5 * (repeated + surplus), self.size)


@dataclass(frozen=True)
class FactsTask:
    """So many true sentences about one subject."""

    subject: str
    size: int

    @property
    def max_words(self) -> int:
        return 8 * self.size + 1

    def reference(self, rng: random.Random) -> str:
        chosen = rng.sample(facts_about(self.subject), self.size)
        return " ".join([chosen[0].whole, *(with_pronoun(fact) for fact in chosen[1:])])

    def follow(self, text: str) -> float:
        true = {about_it(fact.whole, self.subject) for fact in facts_about(self.subject)}
        said = [about_it(part, self.subject) for part in sentences(text)]
        right = {part for part in said if part in true}
        others = {word for subject in subjects() for word in letters(subject)} - set(letters(self.subject))
        if self.subject.lower() not in letters(text) or others & set(letters(text)):
            return 0.1 * bool(right)
        return _share(len(right) - 0.5 * (len(said) - len(right)) - 0.5 * max(0, len(right) - self.size), self.size)


@dataclass(frozen=True)
class StoryTask:
    """Two to four sentences about one person and one animal, and nobody else."""

    name: str
    animal: str

    @property
    def max_words(self) -> int:
        return 40

    def reference(self, rng: random.Random) -> str:
        middles = rng.sample(scenes.MIDDLES, rng.randint(1, 2))
        place, food = rng.choice(tuple(PLACES)), rng.choice(tuple(FOODS))
        parts = (rng.choice(scenes.OPENINGS), *middles, rng.choice(scenes.ENDINGS))
        return " ".join(scenes.story_sentence(part, self.name, self.animal, place, food) for part in parts)

    def follow(self, text: str) -> float:
        said = sentences(text)
        known = set(letters(text))
        strangers = {word.lower() for word in (*NAMES, *ANIMALS)} - {self.name.lower(), self.animal}
        sense = {story_shape(part, self.name, self.animal) for part in said} & set(_story_shapes())
        tells = len(sense) / max(2, len(said))
        if len(said) > 4 or not said or story_shape(said[0], self.name, self.animal) not in _story_shapes()[:_OPENINGS]:
            tells *= 0.5
        there = 0.2 * (self.name.lower() in known) + 0.2 * (self.animal in known)
        return there + (0.2 * (not strangers & known) + 0.4 * tells) * (there > 0.3)


_OPENINGS = len(scenes.OPENINGS)


@cache
def _story_shapes() -> tuple[str, ...]:
    parts = (*scenes.OPENINGS, *scenes.MIDDLES, *scenes.ENDINGS)
    return tuple(plain(part.format(name="NAME", animal="a ANIMAL", noun="ANIMAL", place="PLACE", food="a FOOD"))
                 for part in parts)  # fmt: skip


def story_shape(text: str, name: str, animal: str) -> str:
    """A story sentence with its people, places and foods taken out; an unknown one stays what it is."""
    names = {name.lower(): "name", animal: "animal", "an": "a"}
    names |= dict.fromkeys(PLACES, "place") | dict.fromkeys(FOODS, "food")
    return " ".join(names.get(word, word) for word in letters(text))


def about_it(text: str, subject: str) -> str:
    """'The fox eats mice.', 'A fox eats mice.' and 'It eats mice.' are one thing to say about the fox."""
    said = plain(text)
    for start in (f"the {subject} ", f"{article(subject)} ", f"{subject.lower()} ", f"{pronoun(subject)} "):
        if said.startswith(start):
            return f"it {said[len(start) :]}"
    return said


def enumeration(things: list[str], *, proper: bool = False) -> str:
    named = things if proper else [article(thing) for thing in things]
    return sentence(f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0])


def _share(points: float, size: int) -> float:
    return min(1.0, max(0.0, points / size))
