"""The ranking form's fields. What is posted is read strictly; what was refused or kept as a draft is read leniently.

place-<n>: 1 … 9 · rating-<n>: 1 … 7 · flag-<n>: a flag's key, as often as there are flags · spans-<n>: JSON
[{flag, start, end}] · none: "on" · reason: a reason's key, as often as there are reasons · rationale: text
"""

import json
import re
from collections.abc import Iterator

from django.http import QueryDict

from labeling.errors import BadInput
from labeling.rankings.remarks import Remarks, Span

_FIELD = re.compile(r"(place|rating|flag|spans)-(.*)", re.DOTALL)
_CARDS = "123456789"


def places(posted: QueryDict) -> dict[int, int]:
    """Card number → place. Raises BadInput for anything else in these fields."""
    return dict(
        _numbers(
            posted, "place", "123456789", "A place is a number from 1 to 9, given to one of the answers on the page."
        )
    )


def remarks(posted: QueryDict) -> Remarks:
    """What is said beside the order. Raises BadInput for what no page of ours sends."""
    return Remarks(
        ratings=dict(
            _numbers(posted, "rating", "1234567", "A rating is a number from 1 to 7, given to an answer on the page.")
        ),
        flags=dict(_flags(posted)),
        spans=dict(_spans(posted)),
        none_acceptable=bool(posted.get("none")),
        reasons=[str(key) for key in posted.getlist("reason")],
        rationale=str(posted.get("rationale", "")),
    )


def legible(posted: QueryDict) -> tuple[dict[int, int], Remarks]:
    """What can be shown again of an order that was refused or kept as a draft: the illegible is left out."""
    kept = QueryDict(mutable=True)
    for name, values in posted.lists():
        one = QueryDict(mutable=True)
        one.setlist(name, values)
        try:
            places(one), remarks(one)
        except BadInput:
            continue
        kept.setlist(name, values)
    return places(kept), remarks(kept)


def _numbers(posted: QueryDict, kind: str, digits: str, sentence: str) -> Iterator[tuple[int, int]]:
    for number, values in _fields(posted, kind, sentence):
        value = values[-1]
        if value:
            if len(value) != 1 or value not in digits:
                raise BadInput(sentence)
            yield number, int(value)


def _flags(posted: QueryDict) -> Iterator[tuple[int, list[str]]]:
    yield from _fields(posted, "flag", "A flag is given to one of the answers on the page.")


def _spans(posted: QueryDict) -> Iterator[tuple[int, list[Span]]]:
    sentence = "The marked passages did not arrive in one piece; please mark them again."
    for number, values in _fields(posted, "spans", sentence):
        try:
            found = json.loads(values[-1] or "[]")
            spans = [Span(flag=str(span["flag"]), start=int(span["start"]), end=int(span["end"])) for span in found]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise BadInput(sentence) from None
        if spans:
            yield number, spans


def _fields(posted: QueryDict, kind: str, sentence: str) -> Iterator[tuple[int, list[str]]]:
    for name, values in posted.lists():
        match = _FIELD.fullmatch(name)
        if match is None or match[1] != kind or not any(values):
            continue
        if len(match[2]) != 1 or match[2] not in _CARDS:
            raise BadInput(sentence)
        yield int(match[2]), [str(value) for value in values]
