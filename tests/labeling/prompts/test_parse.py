"""Uploaded files as rows."""

import pytest

from labeling.errors import BadInput
from labeling.prompts.parse import Row, parse


def test_json_lines() -> None:
    content = '\ufeff{"prompt": "one\u2028two", "use_case": "chat"}\r\n\r\n{"prompt": "three"}\n'.encode()
    assert parse(content, "p.jsonl") == [
        Row(1, {"prompt": "one\u2028two", "use_case": "chat"}),
        Row(3, {"prompt": "three"}),
    ]


@pytest.mark.parametrize("line", ["{", '"text"', "[1]", "NaN", "[" * 100_000])
def test_a_bad_json_line_is_that_lines_problem(line: str) -> None:
    rows = parse(f'{line}\n{{"prompt": "fine"}}'.encode(), "p.jsonl")
    assert rows[0].line == 1
    assert rows[0].problem.startswith("This ")
    assert rows[1] == Row(2, {"prompt": "fine"})


def test_csv_with_quotes_and_line_ends_inside() -> None:
    content = '\ufeffPrompt,use_case\r\n"one, ""two""\r\nthree",chat\r\nfour,\r\n'.encode()
    assert parse(content, "P.CSV") == [
        Row(3, {"prompt": 'one, "two"\r\nthree', "use_case": "chat"}),
        Row(4, {"prompt": "four", "use_case": ""}),
    ]


def test_csv_without_a_prompt_column() -> None:
    with pytest.raises(BadInput, match="no column named “prompt”"):
        parse(b"question,answer\na,b\n", "p.csv")


def test_csv_with_too_many_fields() -> None:
    rows = parse(b"prompt,owner\na,b,c\nd,e\n", "p.csv")
    assert "more fields" in rows[0].problem
    assert rows[1] == Row(3, {"prompt": "d", "owner": "e"})


def test_broken_csv_names_the_line() -> None:
    with pytest.raises(BadInput, match="line 2"):
        parse(b'prompt\n"never closed', "p.csv")


def test_plain_text_is_one_prompt_a_line() -> None:
    assert parse(b"one\n\n  two\r\nthree", "p.txt") == [
        Row(1, {"prompt": "one"}),
        Row(3, {"prompt": "  two"}),
        Row(4, {"prompt": "three"}),
    ]


@pytest.mark.parametrize("name", ["p.jsonl", "p.csv", "p.txt"])
def test_wrong_encoding_names_line_and_byte(name: str) -> None:
    content = "prompt\ncafé\n".encode("latin-1")
    with pytest.raises(BadInput, match=r"line 2 has the byte 0xE9 \(byte 11 of the file\)"):
        parse(content, name)


def test_an_empty_file_has_no_rows() -> None:
    assert parse(b"", "p.jsonl") == parse(b"\n \n", "p.txt") == []
