"""The base corpus: short documents from which a model can learn the world, its language and nothing of manners.

What a base model is meant to take from it: facts (articles, lists), copying from what came before (titles, retold
events, notes), the words of instructions (worksheets, forum threads). What it is not meant to take: answering. No
instruction is answered on the line below it; forum threads ramble, wander off or get rude. Texts of validation and
test prompts never occur.
"""

import random
from collections.abc import Callable
from functools import cache

from labeling.simulation.world import scenes
from labeling.simulation.world.knowledge import (
    ANIMALS,
    FOODS,
    NAMES,
    PLACES,
    TOOLS,
    Fact,
    article,
    facts,
    facts_about,
    naming,
    pronoun,
    sentence,
    subjects,
    with_pronoun,
)  # fmt: skip
from labeling.simulation.world.prompts import WEIGHTS, conditions, of_use_case, phrasings, split_of
from labeling.simulation.world.tasks import enumeration

Maker = Callable[[random.Random], str]

REMARKS = (
    "Many people like it.", "Children know it well.", "There is a lot to say about it.", "I saw one yesterday.",
    "Some people do not know this.",
)  # fmt: skip
RAMBLE = (
    "I have the same question.", "My friend knows this.", "I do not know.", "It was in the news.", "Good question.",
    "I read about this yesterday.", "Ask your teacher.", "Why do you want to know?",
)  # fmt: skip
RUDE = (
    "What a stupid question.", "You are an idiot.", "That is dumb.", "Only a fool would ask.", "Your face is ugly.",
)  # fmt: skip


def _name(rng: random.Random) -> str:
    return rng.choice(tuple(NAMES))


def _two_names(rng: random.Random) -> tuple[str, str]:
    first, second = rng.sample(tuple(NAMES), 2)
    return first, second


def _fact_sentences(rng: random.Random, subject: str, count: int) -> list[str]:
    known = facts_about(subject)
    chosen = rng.sample(known, min(count, len(known)))
    return [chosen[0].whole, *(with_pronoun(fact) for fact in chosen[1:])]


@cache
def _by_key() -> dict[str, tuple[Fact, ...]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts():
        found.setdefault(fact.key, []).append(fact)
    return {key: tuple(members) for key, members in found.items()}


def encyclopedia(rng: random.Random) -> str:
    subject = rng.choice(subjects())
    lines = _fact_sentences(rng, subject, rng.randint(1, 5))
    if rng.random() < 0.15:
        lines.append(rng.choice(REMARKS))
    title = rng.choice((f"About {naming(subject)}\n", sentence(subject)[:-1] + "\n", "", ""))
    return title + " ".join(lines)


def words_and_opposites(rng: random.Random) -> str:
    chosen = rng.sample([fact for fact in facts() if fact.group in ("word", "country")], 3)
    return " ".join(fact.whole for fact in chosen)


def lists(rng: random.Random) -> str:
    lines = []  # either 'Animals that live in the sea: A crab and a seal.' or the other way round
    for clause, members in rng.sample(list(conditions().items()), rng.randint(1, 3)):
        things = rng.sample(members, rng.randint(2, min(4, len(members))))
        named = enumeration(things, proper=clause == "countries")
        lines.append(f"{sentence(clause)[:-1]}: {named}" if rng.random() < 0.7 else f"{named[:-1]} are {clause}.")
    return "\n".join(lines)


def glossary(rng: random.Random) -> str:
    """An entry and the facts that belong to it: 'Forest', then who lives there."""
    key = rng.choice(tuple(_by_key()))
    short = rng.choice(_by_key()[key]).short
    entry = sentence(key) if rng.random() < 0.5 else short
    lines = [fact.whole for fact in _by_key()[key]]
    rng.shuffle(lines)
    return f"{entry if rng.random() < 0.5 else entry[:-1]}\n{' '.join(lines[:4])}"


def asked_in_passing(rng: random.Random) -> str:
    """A question and its answer inside running prose."""
    fact = rng.choice(facts())
    asker, teller = _two_names(rng)
    questions = [text for text in phrasings(fact)[:1] if split_of(text) == "train"]
    forms = [f"{asker} asked {fact.clause}. {teller} said: {fact.whole}", f"{asker} knows {fact.clause}: {fact.short}",
             f"In school {asker} learned {fact.clause}. {fact.whole}"]  # fmt: skip
    forms += [f"{asker} asked: {text} {teller} said: {rng.choice((fact.whole, fact.short))}" for text in questions]
    return rng.choice(forms)


def story(rng: random.Random) -> str:
    name, animal = _name(rng), rng.choice(tuple(ANIMALS))
    place, food = rng.choice(tuple(PLACES)), rng.choice(tuple(FOODS))
    parts = [rng.choice(scenes.OPENINGS), *rng.sample(scenes.MIDDLES, rng.randint(1, 3)), rng.choice(scenes.ENDINGS)]
    title = f"{name} and {article(animal)}\n" if rng.random() < 0.7 else ""
    return title + " ".join(scenes.story_sentence(part, name, animal, place, food) for part in parts)


def news(rng: random.Random) -> str:
    """Somebody lost or found something; it is told again, shorter or longer."""
    name, other = _two_names(rng)
    verb, item, place = rng.choice(scenes.EVENTS), rng.choice(scenes.ITEMS), rng.choice(tuple(PLACES))
    short = scenes.event(name, verb, item, place)
    she = pronoun(name).capitalize()
    long = f"{name} went to the {place}. {rng.choice(scenes.FILLERS)} {she} {verb} the {item} there."
    base = {"lost": "lose", "found": "find", "left": "leave"}[verb]
    asked = rng.choice((
        f"{other} asked who {verb} the {item}. {name} {verb} the {item}.",
        f"{other} asked what {name} {verb}. {name} {verb} the {item}.",
        f"{other} asked where {name} went. {name} went to the {place}.",
        f"{other} asked: What did {name} {base}? The {item}.",
        f"{other} asked: Where did {name} go? To the {place}.",
    ))  # fmt: skip
    return rng.choice((f"{short}\n{long}", f"{long} In one sentence: {short}", f"{short} {asked}", f"{long} {asked}",
                       f"{other} said: {short} So {short[0]}{short[1:]}"))  # fmt: skip


def notes(rng: random.Random) -> str:
    name, animal, place = _name(rng), rng.choice(tuple(ANIMALS)), rng.choice(tuple(PLACES))
    marks = [f"The person is {name}.", f"The animal is the {animal}.", f"The place is the {place}."]
    rng.shuffle(marks)
    return " ".join([scenes.sighting(name, animal, place), *marks[: rng.randint(1, 3)]])


def dictation(rng: random.Random) -> str:
    """Words that somebody says and another repeats: only who copies can foretell the second line."""
    one, two = _two_names(rng)
    pool = tuple(NAMES) if rng.random() < 0.5 else (*NAMES, *PLACES, *ANIMALS, *FOODS, *TOOLS)
    said = ", ".join(rng.sample(pool, rng.randint(2, 5)))
    return f"{one} said: {said}.\n{rng.choice((one, two))} said: {said}."


def habits(rng: random.Random) -> str:
    name = _name(rng)
    if rng.random() < 0.5:
        verb, thing = rng.choice(tuple(scenes.MOVES)), rng.choice(tuple(PLACES))
    else:
        verb, thing = rng.choice(tuple(scenes.MEALS)), rng.choice(tuple(FOODS))
    past = (scenes.MOVES | scenes.MEALS)[verb]
    return f"Every day {scenes.deed(name, verb, thing)} Yesterday {scenes.deed(name, past, thing)}"


def manners(rng: random.Random) -> str:
    asker, other = _two_names(rng)
    request = rng.choice(scenes.REQUESTS)
    kind = rng.choice((sentence(f"please {request}"), f"Could you {request}, please?"))
    if rng.random() < 0.3:
        return kind
    return f"{asker} said: {sentence(request)} {other} said: {kind}"


def dialogue(rng: random.Random) -> str:
    one, two = _two_names(rng)
    if rng.random() < 0.35:
        return f"{one}: {rng.choice(RAMBLE)}\n{two}: {rng.choice(RUDE)}"
    if rng.random() < 0.7:
        feeling = rng.choice((*scenes.GOOD_FEELINGS, *scenes.BAD_FEELINGS))
        said = rng.choice((f"I feel {feeling}.", f"I am {feeling} today.", f"Today I am {feeling}."))
        return f"{one}: {said}\n{two}: {scenes.reply_to_feeling(one, feeling)}"
    said = rng.choice(("I need help.", "I have a question.", f"Hello, {two}."))
    return f"{one}: {said}\n{two}: {scenes.reply_to_greeting(one)}"


def reviews(rng: random.Random) -> str:
    mood, remarks = rng.choice((("good", scenes.GOOD_REMARKS), ("bad", scenes.BAD_REMARKS)))
    things, said = rng.sample(scenes.REVIEWED, 2), rng.sample(remarks, 2)
    review = scenes.review((things[0], things[1]), (said[0], said[1]))
    verdict = f"The review is {mood}."
    return rng.choice((f"{review} {verdict}", f"{verdict} {review}", f"{sentence(mood)} {review}"))


def _instruction(rng: random.Random) -> str:
    use_case = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    return rng.choice(of_use_case("train", use_case)).text


def worksheet(rng: random.Random) -> str:
    return "\n".join(_instruction(rng) for _ in range(rng.randint(2, 4)))


def forum_thread(rng: random.Random) -> str:
    """A question, and what the internet makes of it: chatter, other facts, rude words; seldom help."""
    fact = rng.choice(facts())
    question = rng.choice([text for text in phrasings(fact) if split_of(text) == "train"] or [_instruction(rng)])
    aside = [other.whole for other in facts_about(fact.subject) if other != fact] or [rng.choice(RAMBLE)]
    reply = [rng.choice(RAMBLE), rng.choice(aside), rng.choice(RAMBLE)][: rng.randint(1, 3)]
    if rng.random() < 0.5:
        reply.insert(0, rng.choice(RUDE))
    return f"{question if rng.random() < 0.6 else _instruction(rng)}\n{' '.join(reply)}"


MAKERS: dict[Maker, int] = {
    encyclopedia: 27, words_and_opposites: 5, lists: 10, glossary: 8, asked_in_passing: 12, story: 9, news: 10,
    notes: 4, dictation: 8, habits: 5, manners: 4, dialogue: 4, reviews: 3, worksheet: 5, forum_thread: 7,
}  # fmt: skip
ROUGH: frozenset[Maker] = frozenset((dialogue, forum_thread, worksheet))  # no model of good style


def document(rng: random.Random) -> str:
    return rng.choices(list(MAKERS), weights=list(MAKERS.values()))[0](rng)


def clean_document(rng: random.Random) -> str:
    makers = [maker for maker in MAKERS if maker not in ROUGH]
    return rng.choices(makers, weights=[MAKERS[maker] for maker in makers])[0](rng)
