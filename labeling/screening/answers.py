"""PURE. The shape of an answer by its item's kind, from and to the fields of a form.

flags: [true, false, null, …], one for each flag · rank: [place, …], one for each completion, 1 is best, equal places
are a tie, null: not yet placed · write and report: a text. Fields: flag-<i> yes or no, place-<i> 1 … K, text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.errors import BadInput
from labeling.texts import MAX_CHARACTERS, storable

FLAGS, RANK = "flags", "rank"
SAID: dict[Any, bool] = {"yes": True, "no": False}

Value = list[Any] | str


def read(kind: str, parts: Sequence[str], posted: Mapping[str, Any]) -> Value:
    """What was said so far: what is no answer counts as not said. Raises BadInput for a text that is too long."""
    if kind == FLAGS:
        return [SAID.get(posted.get(f"flag-{index}")) for index in range(len(parts))]
    if kind == RANK:
        places = {str(place): place for place in range(1, len(parts) + 1)}
        return [places.get(str(posted.get(f"place-{index}"))) for index in range(len(parts))]
    text = storable(str(posted.get("text", ""))).replace("\r\n", "\n")
    if len(text) > MAX_CHARACTERS:
        raise BadInput(f"Your text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken.")
    return text


def missing(kind: str, value: Value) -> str:
    """What an answer lacks, as a sentence; empty where it is whole."""
    if kind in {FLAGS, RANK}:
        left = sum(said is None for said in value)
        what = "flag" if kind == FLAGS else "place"
        return f"{left} {what}{' is' if left == 1 else 's are'} still missing." if left else ""
    return "" if str(value).strip() else "There is no text yet."


def is_blank(value: Value) -> bool:
    """Whether nothing was said at all."""
    return not value.strip() if isinstance(value, str) else all(said is None for said in value)


def fields(kind: str, value: Value) -> list[tuple[str, str]]:
    """An answer as a browser would send it."""
    if kind == FLAGS:
        return [(f"flag-{index}", "yes" if said else "no") for index, said in enumerate(value) if said is not None]
    if kind == RANK:
        return [(f"place-{index}", "" if place is None else str(place)) for index, place in enumerate(value)]
    return [("text", str(value))]
