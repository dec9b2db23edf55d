"""Texts in: a file from a researcher's machine becomes a dataset of kind texts, and a held-out part another."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from django.db import transaction

from labeling.errors import BadInput
from labeling.exports import freeze
from training.models import Dataset

LONGEST = 2_000_000  # characters in one text; a file without any cut would be one row
BUCKETS = 10_000


def take_in(file: BinaryIO, cut: str, held_out: float) -> list[Dataset]:
    """The texts of a file, each once, and with `held_out` above 0 that share of them apart. Raises BadInput for what
    is no text, or none; then nothing is stored.

    `cut` says where a text ends: "lines", "blank" (at blank lines), or "jsonl" (objects with a `text`). A text is held
    out by its own digest, so the same text is on the same side of every file.
    """
    texts = list(dict.fromkeys(CUTS[cut](_lines(file))))
    if not texts:
        raise BadInput("There is no text in the file.")
    if too_long := next((text for text in texts if len(text) > LONGEST), None):
        raise BadInput(f"A text has {len(too_long):,} characters, {LONGEST:,} are the most. Is it cut where you said?")
    apart = [text for text in texts if is_held_out(text, held_out)]
    if held_out and (not apart or len(apart) == len(texts)):
        raise BadInput(f"Of {len(texts)} texts the share {held_out:g} leaves one of the two parts empty.")
    rest = [text for text in texts if not is_held_out(text, held_out)]
    with transaction.atomic():
        return [freeze.freeze_texts(part, filters={"held_out": part is apart}) for part in (rest, apart) if part]


def is_held_out(text: str, share: float) -> bool:
    """By the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % BUCKETS < share * BUCKETS


def _lines(file: BinaryIO) -> Iterator[str]:
    """The file's lines; one that is packed by gzip is unpacked. Raises BadInput where it is not UTF-8."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    number = 0
    try:
        with gzip.open(file) if packed else file as stream:
            for number, line in enumerate(stream, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if "\x00" in text:
                    raise BadInput(f"Line {number} holds a zero byte; this is no text.")
                yield text
    except UnicodeDecodeError:
        raise BadInput(f"Line {number} is not UTF-8.") from None
    except (EOFError, OSError):
        raise BadInput("The file cannot be unpacked: it is not whole.") from None


def _by_line(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines if line.strip())


def _by_blank_line(lines: Iterable[str]) -> Iterator[str]:
    paragraph: list[str] = []
    for line in lines:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield "\n".join(paragraph)
            paragraph = []
    if paragraph:
        yield "\n".join(paragraph)


def _by_json(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise BadInput(f"Line {number} is not JSON.") from None
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"Line {number} has no “text”.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadInput(f"Line {number} holds half a character (a lone surrogate).") from None
        yield text


CUTS: dict[str, Callable[[Iterable[str]], Iterator[str]]] = {
    "blank": _by_blank_line,
    "lines": _by_line,
    "jsonl": _by_json,
}
