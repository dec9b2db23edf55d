"""What a labeler ranks: the texts alone, numbered as they are shown, with nothing that tells where they came from."""

import re
from dataclasses import dataclass

from django.db import connection

from labeling.completions.models import Completion
from labeling.queue.models import Assignment

_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


@dataclass(frozen=True)
class Card:
    """One text to rank. Identical samples share a card; their ids stay on the server."""

    number: int  # from 1, in display order
    text: str
    completion_ids: tuple[int, ...]
    shifts: tuple[int, ...]  # per sample: how many characters later than on the card its text begins


def cards(assignment: Assignment) -> list[Card]:
    """The cards of a ranking assignment in its display order; a text stands where its first sample stands.

    Samples that differ in blanks at the ends alone are identical.
    """
    texts = _texts(assignment.display_order)
    samples: dict[str, list[int]] = {}
    for completion_id in assignment.display_order:
        samples.setdefault(texts[completion_id].strip(), []).append(completion_id)
    return [_card(number, ids, texts) for number, ids in enumerate(samples.values(), start=1)]


def _texts(ids: list[int]) -> dict[int, str]:
    """By id. Twice a cycle, so it is one prepared statement whatever K is, not a query built and compiled anew."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, text FROM {Completion._meta.db_table} WHERE id = ANY(%s)", [ids])
        return dict(cursor.fetchall())


def _card(number: int, ids: list[int], texts: dict[int, str]) -> Card:
    # Blank lines at the start go; the first line's indentation stays, it may be code.
    text = _BLANK_LINES.sub("", texts[ids[0]]).rstrip()
    return Card(number, text, tuple(ids), tuple(_indent(texts[pk]) - _indent(text) for pk in ids))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
