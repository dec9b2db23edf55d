"""What a screening set asks: an item checked, and many of them read from JSON Lines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labeling.errors import BadInput
from labeling.screening.models import ScreeningItem
from labeling.texts import clean

Kind = ScreeningItem.Kind

MOST_ITEMS = 200
FLAG_LENGTH = 200
# What a line of a file calls an item's text and its parts.
NAMES: dict[str, tuple[str, str]] = {
    Kind.FLAGS: ("text", "flags"),
    Kind.RANK: ("prompt", "completions"),
    Kind.WRITE: ("prompt", ""),
    Kind.REPORT: ("question", ""),
}
FEWEST, MOST = {Kind.FLAGS: 1, Kind.RANK: 2}, {Kind.FLAGS: 20, Kind.RANK: 9}


class Item(NamedTuple):
    """A checked item that is in no set yet."""

    kind: str
    text: str
    parts: list[str]


def checked(kind: str, text: str, parts: Sequence[str] = ()) -> Item:
    """The item, its texts in one form. Raises BadInput with one sentence for what cannot be asked."""
    text_name, parts_name = NAMES[kind]
    text = clean(text, f"The {text_name}")
    if not parts_name:
        return Item(kind, text, [])
    whole = [clean(part, f"One of the {parts_name}") for part in parts]
    if not FEWEST[Kind(kind)] <= len(whole) <= MOST[Kind(kind)]:
        raise BadInput(f"There are {FEWEST[Kind(kind)]} to {MOST[Kind(kind)]} {parts_name}, not {len(whole)}.")
    if len(set(whole)) < len(whole):
        raise BadInput(f"Two of the {parts_name} are the same.")
    if kind == Kind.FLAGS and max(len(part) for part in whole) > FLAG_LENGTH:
        raise BadInput(f"A flag has at most {FLAG_LENGTH} characters.")
    return Item(kind, text, whole)


def parse(content: bytes) -> list[Item]:
    """The items of a JSON Lines file. Raises BadInput that names the first bad line; then nothing is taken."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"Line {content.count(10, 0, error.start) + 1} is not UTF-8 text; nothing was taken.") from None
    # By line ends alone: str.splitlines would also cut at U+2028 and friends, which JSON may contain.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [_line(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise BadInput("There is no item in it.")
    return found


def _line(number: int, line: str) -> Item:
    try:
        return _item(json.loads(line))
    except BadInput as error:
        sentence = error.sentence.removesuffix(".")
    except (ValueError, RecursionError):
        sentence = "This is not JSON"
    raise BadInput(f"Line {number}: {sentence}; nothing was taken.")


def _item(row: Any) -> Item:
    if not isinstance(row, dict):
        raise BadInput('This is no JSON object such as {"kind": "write", "prompt": "…"}.')
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in Kind.values:
        raise BadInput(f"The kind is {json.dumps(kind)[:40]}; use {', '.join(Kind.values)}.")
    return checked(kind, _text(row, NAMES[kind][0]), _parts(row, NAMES[kind][1]))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise BadInput(f"“{name}” is missing or no text.")
    return value


def _parts(row: Mapping[str, Any], name: str) -> list[str]:
    value = row.get(name, [] if not name else None)
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise BadInput(f"“{name}” is missing or no list of texts.")
    return value
