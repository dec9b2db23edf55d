"""PURE. Features of a text that can be seen without understanding it. Each is a rule that anybody can check by eye.

They are rough: a feature says what a text looks like, and that the model likes it more than people do is a question to
look into, not a proof of a bias. The words of refusals, hedges and first persons are English.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

FEWEST_WORDS = 12  # of a text that can repeat itself
REPEATED = 0.3  # share of the three-word sequences that were there before


class Feature(NamedTuple):
    key: str
    label: str
    explained: str
    holds: Callable[[str], bool]


LIST = re.compile(r"^\s{0,3}([-*+•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
MARKUP = re.compile(r"^#{1,6}\s+\S|\*\*\S[^*\n]*\*\*|```|^\|.+\|\s*$", re.MULTILINE)
REFUSAL = re.compile(
    r"\b(I|we)\s*(am|'m|’m|are|'re|’re)?\s*(sorry|unable to|not able to|afraid)\b|"
    r"\bI\s+(can(no|'|’)?t|won['’]t)\s+(help|assist|answer|provide|do|comply|give|say|discuss)|"
    r"\bas an? (AI|language model|assistant)\b",
    re.IGNORECASE,
)
HEDGE = re.compile(
    r"\b(maybe|perhaps|possibly|probably|it depends|might be|may be|could be|I think|I believe|I guess|it seems|"
    r"not sure|generally|arguably)\b",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(r"\b(I|I['’](m|ve|d|ll)|me|my|mine|myself)\b")


def repeats_itself(text: str) -> bool:
    words = re.findall(r"\w+", text.lower())
    if len(words) < FEWEST_WORDS:
        return False
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(triples)) / len(triples) > REPEATED


FEATURES = (
    Feature("list", "Has a list", "a line begins with a bullet or a number", lambda text: bool(LIST.search(text))),
    Feature("markup", "Has markup", "a heading, bold words, code or a table", lambda text: bool(MARKUP.search(text))),
    Feature("question", "Asks something", "there is a question mark", lambda text: "?" in text or "？" in text),
    Feature(
        "refusal", "Declines", "words such as “I am sorry”, “I cannot help”", lambda text: bool(REFUSAL.search(text))
    ),
    Feature(
        "hedge", "Hedges", "words such as “perhaps”, “I think”, “it depends”", lambda text: bool(HEDGE.search(text))
    ),
    Feature("first-person", "Says “I”", "I, me, my, mine", lambda text: bool(FIRST_PERSON.search(text))),
    Feature(
        "repetition",
        "Repeats itself",
        f"more than {REPEATED:.0%} of its three-word sequences were there before",
        repeats_itself,
    ),
)
