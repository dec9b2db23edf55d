"""Little scenes with people in them: what stories, reviews and small talk are made of.

Documents tell these scenes at length; prompts ask about them. Both draw their sentences from here, so that the words
a prompt uses are words the base model has read, while the texts of the prompts themselves stay apart.
"""

from labeling.simulation.world.knowledge import FOODS, TOOLS, article

# present: past (after a name, before a place or a food)
MOVES: dict[str, str] = {
    "walks to": "walked to", "runs to": "ran to", "goes to": "went to", "drives to": "drove to",
}  # fmt: skip
MEALS: dict[str, str] = {"eats": "ate", "buys": "bought", "cooks": "cooked", "washes": "washed"}

ITEMS = tuple(TOOLS)
EVENTS = ("lost", "found", "left")  # somebody ... the key at the market
FILLERS = (
    "The day was hot.", "The day was cold.", "There were many people.", "It was late.", "It was early.",
    "The sun was out.",
)  # fmt: skip

GOOD_FEELINGS = ("happy", "glad", "proud")
BAD_FEELINGS = ("sad", "tired", "sick")

REQUESTS = tuple(
    [f"{verb} the {thing}" for verb in ("open", "close", "clean") for thing in ("door", "box", "room", "car")]
    + [f"{verb} me the {thing}" for verb in ("bring", "give", "show") for thing in (*ITEMS, *FOODS)]
)

REVIEWED = ("soup", "bread", "tea", "room", "music", "place", "show")
GOOD_REMARKS = ("good", "clean", "nice", "great", "lovely")
BAD_REMARKS = ("bad", "dirty", "awful", "boring", "terrible")


def deed(name: str, verb: str, thing: str) -> str:
    """'Anna walks to the park.', 'Anna ate a plum.': `thing` is a place or a food."""
    return f"{name} {verb} {article(thing) if thing in FOODS else f'the {thing}'}."


def event(name: str, verb: str, item: str, place: str) -> str:
    return f"{name} {verb} the {item} at the {place}."


def sighting(name: str, animal: str, place: str) -> str:
    return f"{name} saw {article(animal)} at the {place}."


def review(things: tuple[str, str], remarks: tuple[str, str]) -> str:
    return f"The {things[0]} was {remarks[0]} and the {things[1]} was {remarks[1]}."


def reply_to_feeling(name: str, feeling: str) -> str:
    """What a kind person says; anything else about a feeling is beside the point."""
    mood = "glad" if feeling in GOOD_FEELINGS else "sorry"
    return f"I am {mood} to hear that, {name}."


def reply_to_greeting(name: str) -> str:
    return f"Hello, {name}. How can I help you?"


# Stories of two to four sentences: an opening, one or two middles that fit any animal, an end.
OPENINGS = (
    "One day {name} met {animal} at the {place}.",
    "{name} saw {animal} at the {place}.",
    "There was {animal} at the {place}, and {name} saw it.",
)
MIDDLES = (
    "The {noun} was hungry, so {name} gave it {food}.",
    "The {noun} was sad, so {name} sat with it.",
    "The {noun} was lost, and {name} took it home.",
    "{name} said hello to the {noun}.",
    "The {noun} was small and quiet.",
)
ENDINGS = (
    "They were friends from that day.",
    "Then {name} went home.",
    "In the end {name} and the {noun} were happy.",
)


def story_sentence(template: str, name: str, animal: str, place: str, food: str) -> str:
    return template.format(name=name, animal=article(animal), noun=animal, place=place, food=article(food))
