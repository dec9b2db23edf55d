"""Items, typed or imported: one clear sentence, all or nothing."""

import json

import pytest

from labeling.errors import BadInput
from labeling.screening.items import Item, checked, parse

FLAGS = {"kind": "flags", "text": "Some text", "flags": ["A threat"]}
RANK = {"kind": "rank", "prompt": "A prompt", "completions": ["one", "two"]}
WRITE = {"kind": "write", "prompt": "A sensitive prompt"}
REPORT = {"kind": "report", "question": "What can you tell?"}


def lines(*rows: object) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def test_every_kind_is_read() -> None:
    assert parse(b"\xef\xbb\xbf" + lines(FLAGS, "", RANK, WRITE, REPORT)) == [
        Item("flags", "Some text", ["A threat"]),
        Item("rank", "A prompt", ["one", "two"]),
        Item("write", "A sensitive prompt", []),
        Item("report", "What can you tell?", []),
    ]


def test_line_separators_within_a_text_are_no_line_ends() -> None:
    row = '{"kind": "write", "prompt": "one\u2028two"}'
    assert parse(lines(row)) == [Item("write", "one\u2028two", [])]


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("{", "Line 2: This is not JSON; nothing was taken."),
        ("[" * 100_000, "Line 2: This is not JSON; nothing was taken."),
        ("7", "Line 2: This is no JSON object"),
        ({"kind": "sing"}, 'Line 2: The kind is "sing"; use flags, rank, write, report; nothing was taken.'),
        ({"kind": ["rank"]}, "Line 2: The kind is"),
        ({}, "Line 2: The kind is null"),
        ({**WRITE, "prompt": " "}, "Line 2: The prompt is empty; nothing was taken."),
        ({**WRITE, "prompt": None}, "Line 2: “prompt” is missing or no text; nothing was taken."),
        ({**WRITE, "prompt": "a\0b"}, "NUL"),
        ({**WRITE, "prompt": "x" * 20_001}, "20,001 characters"),
        ({**FLAGS, "flags": []}, "There are 1 to 20 flags, not 0; nothing was taken."),
        ({**FLAGS, "flags": "A threat"}, "“flags” is missing or no list of texts"),
        ({**FLAGS, "flags": ["x" * 201]}, "A flag has at most 200 characters"),
        ({**RANK, "completions": ["one"]}, "There are 2 to 9 completions, not 1"),
        ({**RANK, "completions": list("0123456789")}, "There are 2 to 9 completions, not 10"),
        ({**RANK, "completions": ["one", " one "]}, "Two of the completions are the same"),
        ({**RANK, "completions": ["one", 2]}, "“completions” is missing or no list of texts"),
        ({**RANK, "completions": ["one", "\ud800"]}, "half of a character"),
    ],
)
def test_a_bad_line_is_named(bad: object, sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(lines(WRITE, bad, RANK))
    assert refused.value.sentence.startswith("Line 2: ")
    assert refused.value.sentence.endswith("; nothing was taken.")
    assert sentence.removesuffix("; nothing was taken.") in refused.value.sentence


def test_what_is_no_utf_8_is_named() -> None:
    with pytest.raises(BadInput, match=r"Line 2 is not UTF-8 text"):
        parse(lines(WRITE) + b"\n\xff\n")
    with pytest.raises(BadInput, match="no item"):
        parse(b"\n \n")


def test_texts_come_in_one_form() -> None:
    assert checked("rank", " Ho\u0308r!\r\n", ["a\r\nb ", "c"]) == Item("rank", "H\u00f6r!", ["a\nb", "c"])
