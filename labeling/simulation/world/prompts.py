"""Every prompt of the world: some thousand texts of nine use cases, split once and for all by a hash of the text.

The catalogue does not depend on a seed. A prompt's split follows from its text alone, so a test prompt is a test
prompt for every seed, and the corpus can leave all of them out.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from labeling.simulation.world import scenes
from labeling.simulation.world.knowledge import (
    ANIMALS,
    COUNTRIES,
    FOODS,
    JOBS,
    NAMES,
    NUMBERS,
    PLACES,
    TOOLS,
    Fact,
    article,
    facts,
    facts_about,
    group_of,
    naming,
    pronoun,
    sentence,
    subjects,
)  # fmt: skip
from labeling.simulation.world.tasks import AnswerTask, FactsTask, ListTask, StoryTask, Task
from labeling.simulation.world.text import letters

# Shares of the use cases. The paper's Table 1 gives generation 46 %; here open questions lead, because a
# half-million-parameter model shows knowledge better than imagination.
WEIGHTS: dict[str, int] = {
    "open_qa": 28, "generation": 18, "brainstorming": 12, "rewrite": 12, "summarization": 7, "classification": 7,
    "chat": 6, "closed_qa": 6, "extract": 4,
}  # fmt: skip
TEST_PERCENT, VALID_PERCENT = 12, 8


@dataclass(frozen=True)
class Prompt:
    text: str
    use_case: str
    kind: str
    split: str
    task: Task


def split_of(text: str) -> str:
    place = int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % 100
    if place < TEST_PERCENT:
        return "test"
    return "valid" if place < TEST_PERCENT + VALID_PERCENT else "train"


def _prompt(use_case: str, kind: str, text: str, task: Task) -> Prompt:
    return Prompt(text, use_case, kind, split_of(text), task)


def _answer(use_case: str, kind: str, text: str, whole: tuple[str, ...], short: tuple[str, ...],
            keywords: tuple[str, ...], *, brief: bool = False) -> Prompt:  # fmt: skip
    return _prompt(use_case, kind, text, AnswerTask(whole, short, keywords, given=text, brief=brief))


def phrasings(fact: Fact) -> tuple[str, ...]:
    """The ways to ask for one fact in a whole sentence."""
    return (fact.question, f"Tell me {fact.clause}.", f"Do you know {fact.clause}?")


def _open_questions() -> Iterator[Prompt]:
    for fact in facts():
        for text in phrasings(fact):
            yield _answer("open_qa", fact.attribute, text, (fact.whole,), (fact.short,), (fact.key,))
        if len(fact.key.split()) == 1:
            word = sentence(fact.key)
            text = f"Answer in one word: {fact.question}"
            made = _answer("open_qa", "one_word", text, (fact.whole,), (word,), (fact.key,), brief=True)
            # It contains the question, so it has to be on the question's side of the split.
            yield replace(made, split=split_of(fact.question))


def _generations() -> Iterator[Prompt]:
    for subject in subjects():
        for size in range(1, min(3, len(facts_about(subject))) + 1):
            count = f"{NUMBERS[size - 1]} sentence{'s' if size > 1 else ''}"
            for text in (f"Write {count} about {naming(subject)}.", f"Describe {naming(subject)} in {count}."):
                yield _prompt("generation", "facts", text, FactsTask(subject, size))
    for name in NAMES:
        for animal in ANIMALS:
            for start in ("Write a short story about", "Tell me a story about"):
                text = f"{start} {name} and {article(animal)}."
                yield _prompt("generation", "story", text, StoryTask(name, animal))


def conditions() -> dict[str, tuple[str, ...]]:
    """What a list can be about: 'animals that live in the sea' and who belongs to it (two at least)."""
    found: dict[str, list[str]] = {}
    for fact in facts():
        clause = {
            "habitat": f"animals that live {_tail(fact, 'lives ')}",
            "diet": f"animals that eat {fact.key}",
            "legs": f"animals that have {_tail(fact, 'has ')}",
            "cover": f"animals that are covered with {_tail(fact, 'with ')}",
            "movement": f"animals that can {fact.key}",
            "color": f"foods that are {fact.key}",
            "taste": f"foods that taste {fact.key}",
            "grows": f"foods that grow {_tail(fact, 'grows ')}",
            "material": f"tools that are made of {fact.key}",
            "room": f"tools that people keep in the {fact.key}",
        }.get(fact.attribute)
        if clause:
            found.setdefault(clause, []).append(fact.subject)
    found |= {"animals": list(ANIMALS), "foods": list(FOODS), "tools": list(TOOLS), "jobs": list(JOBS),
              "countries": list(COUNTRIES)}  # fmt: skip
    return {clause: tuple(members) for clause, members in found.items() if len(members) > 1}


def _tail(fact: Fact, after: str) -> str:
    return fact.whole.partition(f" {after}")[2].rstrip(".")


def _lists() -> Iterator[Prompt]:
    for clause, members in conditions().items():
        for size in range(2, min(4, len(members)) + 1):
            for verb in ("List", "Name", "Give me", "Think of"):
                task = ListTask(size, members, proper=clause == "countries")
                yield _prompt("brainstorming", "list", f"{verb} {NUMBERS[size - 1]} {clause}.", task)


def _rewrites() -> Iterator[Prompt]:
    present = [(name, verb, place) for name in NAMES for verb in scenes.MOVES for place in PLACES]
    present += [(name, verb, food) for name in NAMES for verb in scenes.MEALS for food in FOODS]
    for name, verb, thing in present:
        past = (scenes.MOVES | scenes.MEALS)[verb]
        text = f"Put this in the past: {scenes.deed(name, verb, thing)}"
        answer = scenes.deed(name, past, thing)
        yield _answer("rewrite", "past", text, (answer,), (), (name, past.split()[0], thing))
    for request in scenes.REQUESTS:
        for start in ("Make this polite:", "Say this in a kind way:"):
            whole = (sentence(f"please {request}"), f"Could you {request}, please?")
            text = f"{start} {sentence(request)}"
            yield _answer("rewrite", "polite", text, whole, (), ("please", request.split()[-1]))


def _people_events() -> list[tuple[str, str, str, str]]:
    return [(n, v, i, p) for n in NAMES for v in scenes.EVENTS for i in scenes.ITEMS for p in PLACES]


def _summaries(rng: random.Random) -> Iterator[Prompt]:
    for name, verb, item, place in rng.sample(_people_events(), 700):
        filler = rng.choice(scenes.FILLERS)
        she = sentence(f"{pronoun(name)} {verb} the {item} there")
        text = f"Sum up in one sentence: {name} went to the {place}. {filler} {she}"
        whole = scenes.event(name, verb, item, place)
        yield _answer("summarization", "summary", text, (whole,), (), (name, verb, item, place))


def _closed_questions(rng: random.Random) -> Iterator[Prompt]:
    for name, verb, item, place in rng.sample(_people_events(), 700):
        base = {"lost": "lose", "found": "find", "left": "leave"}[verb]
        told = scenes.event(name, verb, item, place)
        question, short, key = rng.choice((
            (f"Who {verb} the {item}?", sentence(name), name),
            (f"What did {name} {base}?", sentence(f"the {item}"), item),
            (f"Where did {name} go?", sentence(f"to the {place}"), place),
        ))  # fmt: skip
        whole = f"{name} went to the {place}." if key == place else f"{name} {verb} the {item}."
        yield _answer("closed_qa", "closed_qa", f"{told} {question}", (whole,), (short,), (key,))


def _extractions(rng: random.Random) -> Iterator[Prompt]:
    scenes_of = [(n, a, p) for n in NAMES for a in ANIMALS for p in PLACES]
    for name, animal, place in rng.sample(scenes_of, 500):
        what, short = rng.choice((("person", name), ("animal", f"the {animal}"), ("place", f"the {place}")))
        text = f"Find the {what} in this text: {scenes.sighting(name, animal, place)}"
        yield _answer("extract", what, text, (sentence(f"the {what} is {short}"),), (sentence(short),),
                      (letters(short)[-1],))  # fmt: skip


def _classifications(rng: random.Random) -> Iterator[Prompt]:
    kinds = ["animal", "food", "tool"]
    for subject in (s for s in subjects() if group_of(s) in kinds):
        group, the = group_of(subject), naming(subject)
        for _ in range(3):
            rng.shuffle(kinds)
            text = f"Is {the} {article(kinds[0])}, {article(kinds[1])} or {article(kinds[2])}?"
            yield _answer("classification", "group", text, (sentence(f"{the} is {article(group)}"),),
                          (sentence(article(group)),), (group,))  # fmt: skip
    for mood, remarks in (("good", scenes.GOOD_REMARKS), ("bad", scenes.BAD_REMARKS)):
        for _ in range(150):
            first, second = rng.sample(scenes.REVIEWED, 2), rng.sample(remarks, 2)
            text = f"Is this review good or bad? {scenes.review((first[0], first[1]), (second[0], second[1]))}"
            yield _answer("classification", "review", text, (f"The review is {mood}.",), (sentence(mood),), (mood,))


def _chats() -> Iterator[Prompt]:
    for name in NAMES:
        for feeling in (*scenes.GOOD_FEELINGS, *scenes.BAD_FEELINGS):
            reply = scenes.reply_to_feeling(name, feeling)
            keys = (letters(reply)[2], name)
            for text in (f"My name is {name} and I feel {feeling}.", f"Hello, I am {name}. Today I am {feeling}.",
                         f"I am {name} and I am {feeling} today."):  # fmt: skip
                yield _answer("chat", "feeling", text, (reply,), (), keys)
        for text in (f"Hello, my name is {name}.", f"Hello, I am {name}.", f"My name is {name}. I have a question.",
                     f"I am {name}. I need help."):  # fmt: skip
            yield _answer("chat", "greeting", text, (scenes.reply_to_greeting(name),), (), ("help", name))


@cache
def catalogue() -> dict[str, Prompt]:
    """Every prompt by its text."""
    rng = random.Random("catalogue")
    made = [*_open_questions(), *_generations(), *_lists(), *_rewrites(), *_summaries(rng), *_classifications(rng),
            *_chats(), *_closed_questions(rng), *_extractions(rng)]  # fmt: skip
    return {prompt.text: prompt for prompt in made}


@cache
def of_use_case(split: str, use_case: str) -> tuple[Prompt, ...]:
    return tuple(p for p in catalogue().values() if p.split == split and p.use_case == use_case)


def draw(rng: random.Random, split: str, count: int) -> list[Prompt]:
    """`count` different prompts of a split, shuffled, in the shares of `WEIGHTS` as far as the catalogue reaches.

    A use case that runs out leaves its places to the others. Raises ValueError where the whole split is smaller.
    """
    piles = {use_case: list(of_use_case(split, use_case)) for use_case in WEIGHTS}
    total = sum(len(pile) for pile in piles.values())
    if count > total:
        raise ValueError(f"{count} {split} prompts were asked for; the world has {total}.")
    for pile in piles.values():
        rng.shuffle(pile)
    drawn: list[Prompt] = []
    while len(drawn) < count:
        open_cases = [use_case for use_case, pile in piles.items() if pile]
        weight = sum(WEIGHTS[use_case] for use_case in open_cases)
        missing = count - len(drawn)
        for use_case in open_cases:
            share = max(1, round(missing * WEIGHTS[use_case] / weight))
            drawn += piles[use_case][:share]
            del piles[use_case][:share]
    rng.shuffle(drawn)
    return drawn[:count]
