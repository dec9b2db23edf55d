"""What fields say, however little of it, and back."""

import pytest

from labeling.errors import BadInput
from labeling.screening.answers import fields, is_blank, missing, read

TWO = ["one", "two"]


@pytest.mark.parametrize(
    ("kind", "posted", "value"),
    [
        ("flags", {"flag-0": "yes", "flag-1": "no"}, [True, False]),
        ("flags", {"flag-1": "no"}, [None, False]),
        ("flags", {"flag-0": "perhaps", "flag-2": "yes"}, [None, None]),
        ("rank", {"place-0": "2", "place-1": "1"}, [2, 1]),
        ("rank", {"place-0": "1", "place-1": "1"}, [1, 1]),
        ("rank", {"place-0": "3", "place-1": "0"}, [None, None]),
        ("rank", {"place-0": "", "place-1": "01"}, [None, None]),
        ("write", {"text": "a\r\nb"}, "a\nb"),
        ("write", {}, ""),
        ("report", {"text": "a\0\ud800"}, "a\ufffd\ufffd"),
    ],
)
def test_fields_are_read_leniently(kind: str, posted: dict[str, str], value: object) -> None:
    assert read(kind, TWO if kind in {"flags", "rank"} else [], posted) == value


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("flags", [True, False], ""),
        ("flags", [None, False], "1 flag is still missing."),
        ("rank", [None, None], "2 places are still missing."),
        ("rank", [1, 1], ""),
        ("write", " \n", "There is no text yet."),
        ("report", "Manila", ""),
    ],
)
def test_what_is_missing_is_said(kind: str, value: object, sentence: str) -> None:
    assert missing(kind, value) == sentence  # type: ignore[arg-type]


def test_a_text_has_its_limit() -> None:
    assert read("write", [], {"text": "x" * 20_000}) == "x" * 20_000
    with pytest.raises(BadInput, match="20,001"):
        read("write", [], {"text": "x" * 20_001})


def test_an_answer_comes_back_as_its_fields() -> None:
    assert fields("flags", [True, None, False]) == [("flag-0", "yes"), ("flag-2", "no")]
    assert fields("rank", [2, None]) == [("place-0", "2"), ("place-1", "")]
    assert fields("write", "a") == [("text", "a")]
    assert (is_blank([None, None]), is_blank([None, False]), is_blank(" "), is_blank("a")) == (True, False, True, False)
