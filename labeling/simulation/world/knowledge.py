"""What is true in the miniature world: a few hundred facts, each with one plain sentence.

The world is small on purpose. A model of half a million parameters has to learn every fact from a corpus that it
reads within minutes, so there are only as many animals, tools and countries as it can hold.
"""

from dataclasses import dataclass
from functools import cache

# animal: (habitat, diet, legs, cover, movement)
ANIMALS: dict[str, tuple[str, str, str, str, str]] = {
    "fox": ("in the forest", "mice", "four", "fur", "run"),
    "owl": ("in the forest", "mice", "two", "feathers", "fly"),
    "bear": ("in the forest", "honey", "four", "fur", "climb"),
    "rabbit": ("in the garden", "leaves", "four", "fur", "jump"),
    "frog": ("in the pond", "insects", "four", "skin", "jump"),
    "duck": ("in the pond", "grass", "two", "feathers", "swim"),
    "shark": ("in the sea", "fish", "no", "skin", "swim"),
    "crab": ("in the sea", "fish", "ten", "a shell", "walk"),
    "seal": ("in the sea", "fish", "no", "fur", "swim"),
    "camel": ("in the desert", "grass", "four", "hair", "walk"),
    "snake": ("in the desert", "mice", "no", "scales", "crawl"),
    "goat": ("in the mountains", "leaves", "four", "hair", "climb"),
    "eagle": ("in the mountains", "fish", "two", "feathers", "fly"),
    "cow": ("on the farm", "grass", "four", "hair", "walk"),
    "hen": ("on the farm", "seeds", "two", "feathers", "walk"),
    "tiger": ("in the jungle", "meat", "four", "fur", "run"),
    "parrot": ("in the jungle", "seeds", "two", "feathers", "fly"),
    "bee": ("in the garden", "honey", "six", "hair", "fly"),
    "ant": ("in the garden", "seeds", "six", "a shell", "crawl"),
    "spider": ("in the garden", "insects", "eight", "hair", "climb"),
}

# food: (color, taste, where it grows, kind)
FOODS: dict[str, tuple[str, str, str, str]] = {
    "apple": ("red", "sweet", "on a tree", "fruit"),
    "lemon": ("yellow", "sour", "on a tree", "fruit"),
    "banana": ("yellow", "sweet", "on a tree", "fruit"),
    "plum": ("blue", "sweet", "on a tree", "fruit"),
    "berry": ("red", "sour", "on a bush", "fruit"),
    "tomato": ("red", "mild", "on a bush", "vegetable"),
    "pepper": ("green", "hot", "on a bush", "vegetable"),
    "bean": ("green", "mild", "on a bush", "vegetable"),
    "carrot": ("orange", "sweet", "in the ground", "vegetable"),
    "onion": ("white", "hot", "in the ground", "vegetable"),
    "potato": ("brown", "mild", "in the ground", "vegetable"),
}

# tool: (use, material, room)
TOOLS: dict[str, tuple[str, str, str]] = {
    "knife": ("cut bread", "metal", "kitchen"),
    "spoon": ("eat soup", "metal", "kitchen"),
    "cup": ("drink tea", "glass", "kitchen"),
    "broom": ("sweep floors", "wood", "hall"),
    "key": ("open doors", "metal", "hall"),
    "lamp": ("light rooms", "glass", "bedroom"),
    "needle": ("sew shirts", "metal", "bedroom"),
    "pen": ("write letters", "plastic", "office"),
    "hammer": ("hit nails", "metal", "workshop"),
    "saw": ("cut wood", "metal", "workshop"),
    "brush": ("paint walls", "wood", "workshop"),
}

# job: (duty, workplace)
JOBS: dict[str, tuple[str, str]] = {
    "baker": ("bakes bread", "bakery"),
    "doctor": ("helps patients", "hospital"),
    "teacher": ("teaches children", "school"),
    "farmer": ("grows vegetables", "field"),
    "pilot": ("flies planes", "airport"),
    "sailor": ("sails ships", "harbor"),
    "mechanic": ("repairs cars", "garage"),
    "librarian": ("lends books", "library"),
}

# country: (capital, language)
COUNTRIES: dict[str, tuple[str, str]] = {
    "France": ("Paris", "French"),
    "Spain": ("Madrid", "Spanish"),
    "Italy": ("Rome", "Italian"),
    "Germany": ("Berlin", "German"),
    "Greece": ("Athens", "Greek"),
    "Japan": ("Tokyo", "Japanese"),
    "Egypt": ("Cairo", "Arabic"),
    "Russia": ("Moscow", "Russian"),
}

OPPOSITES: tuple[tuple[str, str], ...] = (
    ("hot", "cold"), ("big", "small"), ("old", "new"), ("fast", "slow"), ("happy", "sad"),
    ("full", "empty"), ("light", "dark"), ("clean", "dirty"), ("loud", "quiet"),
)  # fmt: skip

# name: (pronoun, what they like, what they play). People and places need facts of their own: words that can all be
# exchanged for each other look the same to a small model, and it does not learn to copy the right one (lab log).
NAMES: dict[str, tuple[str, str, str]] = {
    "Anna": ("she", "cake", "chess"),
    "Ben": ("he", "soup", "tennis"),
    "Clara": ("she", "tea", "piano"),
    "David": ("he", "cheese", "football"),
    "Emma": ("she", "rice", "golf"),
    "Felix": ("he", "bread", "cards"),
    "Grace": ("she", "milk", "guitar"),
    "Henry": ("he", "coffee", "drums"),
    "Mary": ("she", "nuts", "flute"),
    "Tom": ("he", "sugar", "hockey"),
}
# place: what people do there
PLACES: dict[str, str] = {
    "park": "play games",
    "market": "buy food",
    "station": "take trains",
    "beach": "build castles",
    "square": "meet friends",
    "museum": "see pictures",
}
RUDE_WORDS = frozenset(("stupid", "idiot", "dumb", "ugly", "fool"))
NUMBERS = ("one", "two", "three", "four", "five")


@dataclass(frozen=True)
class Fact:
    """One attribute of one subject. `key` is the word or words an answer has to contain."""

    subject: str
    group: str  # animal, food, tool, job, country, place, person, word
    attribute: str
    key: str
    question: str  # "Where does the fox live?"
    clause: str  # "where the fox lives"
    whole: str  # "The fox lives in the forest."
    short: str  # "In the forest."


def article(noun: str) -> str:
    """'a fox', 'an owl'; a noun that brings its article ('a shell') stays as it is."""
    if noun.startswith(("a ", "an ")):
        return noun
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def sentence(text: str) -> str:
    """First letter up, full stop at the end."""
    return f"{text[0].upper()}{text[1:]}."


def last_word(phrase: str) -> str:
    return phrase.split()[-1]


def _fact(subject: str, group: str, attribute: str, key: str, question: str, clause: str, whole: str,
          short: str) -> Fact:  # fmt: skip
    return Fact(subject, group, attribute, key, sentence(question)[:-1] + "?", clause, sentence(whole), sentence(short))


def _animal_facts(s: str) -> list[Fact]:
    habitat, diet, legs, cover, movement = ANIMALS[s]
    the = f"the {s}"
    none = "none" if legs == "no" else legs
    rows = (
        ("habitat", last_word(habitat), f"where does {the} live", f"where {the} lives", f"{the} lives {habitat}",
         habitat),
        ("diet", diet, f"what does {the} eat", f"what {the} eats", f"{the} eats {diet}", diet),
        ("legs", none, f"how many legs does {the} have", f"how many legs {the} has", f"{the} has {legs} legs", none),
        ("cover", last_word(cover), f"what covers {the}", f"what covers {the}", f"{the} is covered with {cover}",
         cover),
        ("movement", movement, f"how does {the} move", f"how {the} moves", f"{the} can {movement}",
         f"it can {movement}"),
    )  # fmt: skip
    return [_fact(s, "animal", *row) for row in rows]


def _food_facts(s: str) -> list[Fact]:
    color, taste, place, kind = FOODS[s]
    the = f"the {s}"
    rows = (
        ("color", color, f"what color is {the}", f"what color {the} is", f"{the} is {color}", color),
        ("taste", taste, f"how does {the} taste", f"how {the} tastes", f"{the} tastes {taste}", taste),
        ("grows", last_word(place), f"where does {the} grow", f"where {the} grows", f"{the} grows {place}", place),
        ("kind", kind, f"is {the} a fruit or a vegetable", f"if {the} is a fruit or a vegetable",
         f"{the} is a {kind}", f"a {kind}"),
    )  # fmt: skip
    return [_fact(s, "food", *row) for row in rows]


def _tool_facts(s: str) -> list[Fact]:
    use, material, room = TOOLS[s]
    the = f"the {s}"
    rows = (
        ("use", use, f"what is {the} used for", f"what {the} is used for", f"{the} is used to {use}", f"to {use}"),
        ("material", material, f"what is {the} made of", f"what {the} is made of", f"{the} is made of {material}",
         material),
        ("room", room, f"where do people keep {the}", f"where people keep {the}", f"people keep {the} in the {room}",
         f"in the {room}"),
    )  # fmt: skip
    return [_fact(s, "tool", *row) for row in rows]


def _job_facts(s: str) -> list[Fact]:
    duty, workplace = JOBS[s]
    the = f"the {s}"
    rows = (
        ("duty", duty, f"what does {the} do", f"what {the} does", f"{the} {duty}", duty),
        ("workplace", workplace, f"where does {the} work", f"where {the} works", f"{the} works in the {workplace}",
         f"in the {workplace}"),
    )  # fmt: skip
    return [_fact(s, "job", *row) for row in rows]


def _country_facts(s: str) -> list[Fact]:
    capital, language = COUNTRIES[s]
    rows = (
        ("capital", capital, f"what is the capital of {s}", f"what the capital of {s} is",
         f"the capital of {s} is {capital}", capital),
        ("language", language, f"what language do people in {s} speak", f"what language people in {s} speak",
         f"people in {s} speak {language}", language),
    )  # fmt: skip
    return [_fact(s, "country", *row) for row in rows]


def _place_facts(s: str) -> list[Fact]:
    deed = PLACES[s]
    row = ("deed", deed, f"what do people do at the {s}", f"what people do at the {s}",
           f"people {deed} at the {s}", f"they {deed}")  # fmt: skip
    return [_fact(s, "place", *row)]


def _person_facts(s: str) -> list[Fact]:
    _, food, game = NAMES[s]
    rows = (
        ("likes", food, f"what does {s} like", f"what {s} likes", f"{s} likes {food}", food),
        ("plays", game, f"what does {s} play", f"what {s} plays", f"{s} plays {game}", game),
    )
    return [_fact(s, "person", *row) for row in rows]


def _opposite_facts() -> list[Fact]:
    ordered = [pair for a, b in OPPOSITES for pair in ((a, b), (b, a))]
    return [
        _fact(a, "word", "opposite", b, f"what is the opposite of {a}", f"what the opposite of {a} is",
              f"the opposite of {a} is {b}", b)
        for a, b in ordered
    ]  # fmt: skip


@cache
def facts() -> tuple[Fact, ...]:
    """All facts, in a fixed order."""
    made: list[Fact] = []
    for table, make in ((ANIMALS, _animal_facts), (FOODS, _food_facts), (TOOLS, _tool_facts), (JOBS, _job_facts),
                        (COUNTRIES, _country_facts), (PLACES, _place_facts),
                        (NAMES, _person_facts)):  # fmt: skip
        for subject in table:
            made += make(subject)
    return tuple(made + _opposite_facts())


@cache
def facts_about(subject: str) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts() if fact.subject == subject)


@cache
def subjects() -> tuple[str, ...]:
    """Everything an article can be written about (words of opposite pairs are not)."""
    return tuple(dict.fromkeys(fact.subject for fact in facts() if fact.group != "word"))


def group_of(subject: str) -> str:
    return facts_about(subject)[0].group


def naming(subject: str) -> str:
    """How running text names a subject: 'the fox', 'France'."""
    return subject if subject[0].isupper() else f"the {subject}"


def with_pronoun(fact: Fact) -> str:
    """'The fox eats mice.' as a later sentence: 'It eats mice.' Jobs, places and countries keep their name."""
    start = f"{sentence(naming(fact.subject))[:-1]} "
    if fact.group in ("animal", "food", "tool", "person") and fact.whole.startswith(start):
        return f"{pronoun(fact.subject).capitalize()} {fact.whole[len(start) :]}"
    return fact.whole


def pronoun(subject: str) -> str:
    return NAMES[subject][0] if subject in NAMES else "it"
