"""What an adjudicator sends in."""

from typing import NamedTuple

from django.http import QueryDict

from labeling.errors import BadInput

OWN = "own"


class Word(NamedTuple):
    base: int
    ranking: int | None
    places: dict[int, int] | None
    reason: str
    errors: list[str]


def word(data: QueryDict) -> Word:
    """Raises BadInput for what the page does not send; what is missing is the service's to name."""
    chosen = data.get("order", "")
    if not chosen:
        raise BadInput("Choose one of the labelers' orders, or give an order of your own.")
    return Word(
        base=number(data.get("base", "")),
        ranking=None if chosen == OWN else number(chosen),
        places=_places(data) if chosen == OWN else None,
        reason=data.get("reason", ""),
        errors=data.getlist("error"),
    )


def _places(data: QueryDict) -> dict[int, int]:
    """A card stands for its identical samples, whose ids the field names: `place-12-15`."""
    places = {}
    for name, value in data.items():
        if name.startswith("place-") and value:
            for completion in name.removeprefix("place-").split("-"):
                places[number(completion)] = number(str(value))
    return places


def number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise BadInput("A number on this page cannot be read; load it again.")
    return int(text)
