"""The prompts that a proposal makes. Pure: values in, texts out."""

from collections.abc import Sequence
from typing import TypedDict


class Pair(TypedDict):
    query: str
    response: str


def as_texts(text: str, pairs: Sequence[Pair] = ()) -> list[str]:
    """The text itself; with K pairs K texts, each of which asks one query after the other K−1 pairs as examples.

    So the paper makes K prompts of a few-shot one (Ouyang et al. 2022, App. A.2):

        Say it politely.⏎⏎Query: Go.⏎Response: Please go.⏎⏎Query: Stop.⏎Response:
    """
    if not pairs:
        return [text]
    return [_asking(text, pairs, number) for number in range(len(pairs))]


def _asking(text: str, pairs: Sequence[Pair], asked: int) -> str:
    examples = [f"Query: {pair['query']}\nResponse: {pair['response']}" for pair in _without(pairs, asked)]
    return "\n\n".join([text, *examples, f"Query: {pairs[asked]['query']}\nResponse:"])


def _without(pairs: Sequence[Pair], index: int) -> list[Pair]:
    return [*pairs[:index], *pairs[index + 1 :]]
