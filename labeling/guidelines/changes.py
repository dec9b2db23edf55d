"""What changed between two texts, for people to read: passage by passage, and word by word inside one. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A line end inside a paragraph is only where somebody's editor wrapped it, unless a list, title or quotation begins.
WRAP = re.compile(r"[ \t]*\n[ \t]*(?!([-*+>#|]|\d+[.)])[ \t]|[ \t\n])")


@dataclass(frozen=True)
class Piece:
    """Words that stayed, came or went."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True)
class Passage:
    """Neighbouring paragraphs, or in their place how many unchanged ones are left out here."""

    pieces: Sequence[Piece] = ()
    left_out: int = 0


def changes(before: str, after: str) -> list[Passage]:
    """The changed passages, each with an unchanged paragraph before and after it; nothing for equal texts."""
    old, new = _paragraphs(before), _paragraphs(after)
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    if all(tag == "equal" for tag, *_ in opcodes):
        return []
    passages: list[Passage] = []
    for number, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag == "equal":
            passages += _context(new[j1:j2], is_first=number == 0, is_last=number == len(opcodes) - 1)
        else:
            passages.append(Passage(list(_words("\n\n".join(old[i1:i2]), "\n\n".join(new[j1:j2])))))
    return passages


def _paragraphs(text: str) -> list[str]:
    return [part if "```" in part else WRAP.sub(" ", part) for part in re.split(r"\n\s*\n", text.strip())]


def _context(same: list[str], *, is_first: bool, is_last: bool) -> list[Passage]:
    """Of unchanged paragraphs those beside a change, and how many lie between."""
    head = [] if is_first else same[:1]
    rest = same[len(head) :]
    tail = [] if is_last else rest[-1:]
    left_out = len(rest) - len(tail)
    return [
        *(_unchanged(text) for text in head),
        *([Passage(left_out=left_out)] if left_out else []),
        *(_unchanged(text) for text in tail),
    ]


def _unchanged(text: str) -> Passage:
    return Passage([Piece("same", text)])


def _words(before: str, after: str) -> Iterator[Piece]:
    """Each word with the space after it; the space alone is no change."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new])
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(new[j1:j2]))
            continue
        removed, added = "".join(old[i1:i2]), "".join(new[j1:j2])
        if removed:
            # The last word of a text has no space after it, and what replaces it must not stick to it.
            yield Piece("removed", removed if removed[-1].isspace() or not added else removed + " ")
        if added:
            yield Piece("added", added)
