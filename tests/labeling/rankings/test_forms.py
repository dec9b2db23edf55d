"""Reading the ranking form."""

import json

import pytest
from django.http import QueryDict

from labeling.errors import BadInput
from labeling.rankings import forms
from labeling.rankings.remarks import Remarks

SPAN = {"flag": "rude", "start": 1, "end": 4}


def posted(**fields: str | list[str]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query.setlist(name.replace("_", "-"), value if isinstance(value, list) else [value])
    return query


def test_every_field_finds_its_card() -> None:
    query = posted(
        place_1="2",
        place_2="1",
        rating_2="7",
        flag_1=["rude", "made-up"],
        spans_1=json.dumps([SPAN]),
        spans_2="[]",
        none="1",
        reason=["safer"],
        rationale="So.",
    )
    assert forms.places(query) == {1: 2, 2: 1}
    assert forms.remarks(query) == Remarks(
        ratings={2: 7},
        flags={1: ["rude", "made-up"]},
        spans={1: [SPAN]},
        none_acceptable=True,
        reasons=["safer"],
        rationale="So.",
    )


def test_empty_fields_say_nothing() -> None:
    query = posted(place_1="", rating_1="", spans_1="", rationale="")
    assert forms.places(query) == {}
    assert forms.remarks(query) == Remarks(reasons=[])


@pytest.mark.parametrize("value", ["0", "10", "first", "²", "-1", "1.5", " 1"])
def test_numbers_are_one_digit(value: str) -> None:
    with pytest.raises(BadInput, match="A place is a number"):
        forms.places(posted(place_1=value))
    with pytest.raises(BadInput, match="A rating is a number"):
        forms.remarks(posted(rating_1=value))


@pytest.mark.parametrize("number", ["0", "10", "x", "²", ""])
def test_cards_are_one_digit(number: str) -> None:
    with pytest.raises(BadInput):
        forms.places(posted(**{f"place-{number}": "1"}))
    with pytest.raises(BadInput):
        forms.remarks(posted(**{f"flag-{number}": "rude"}))


@pytest.mark.parametrize(
    "spans", ["{", "7", "[7]", '[{"flag": "rude"}]', '[{"flag": "rude", "start": "a", "end": 2}]', "[" * 100_000]
)
def test_broken_passages_are_refused(spans: str) -> None:
    with pytest.raises(BadInput, match="did not arrive in one piece"):
        forms.remarks(posted(spans_1=spans))


def test_what_was_refused_comes_back_as_far_as_it_can_be_read() -> None:
    query = posted(place_1="3", place_2="none", place_77="1", rating_1="9", rating_2="5", spans_1="{", rationale="Why.")
    assert forms.legible(query) == ({1: 3}, Remarks(ratings={2: 5}, reasons=[], rationale="Why."))
