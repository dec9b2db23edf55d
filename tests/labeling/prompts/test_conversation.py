"""Turns: what is taken, and the one text that training sees."""

from typing import Any

import pytest

from labeling.errors import BadInput
from labeling.prompts import conversation


def test_turns_are_read_in_both_spellings() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "text": " Hi.\r\n"},
        {"role": "assistant", "content": "Hello!", "name": "ignored"},
        {"role": "user", "text": "And now?"},
    ]
    read = conversation.read(turns)
    assert [turn["text"] for turn in read] == ["Be brief.", "Hi.", "Hello!", "And now?"]
    assert conversation.as_text(read) == "System: Be brief.\n\nUser: Hi.\n\nAssistant: Hello!\n\nUser: And now?"


def test_one_turn_is_a_plain_text() -> None:
    assert conversation.as_text(conversation.read([{"role": "user", "text": "Hi."}])) == "Hi."


USER = {"role": "user", "text": "Hi."}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("user: hi", "not a list"),
        ([], "not a list"),
        ({"role": "user"}, "not a list"),
        ([USER] * 101, "at most 100"),
        (["Hi."], "Turn 1 is not an object"),
        ([USER, None], "Turn 2 is not an object"),
        ([{"role": "tool", "text": "x"}, USER], "Turn 1 has the role “tool”"),
        ([{"text": "x"}], "Turn 1 has the role “None”"),
        ([{"role": ["user"], "text": "x"}], "Turn 1 has the role"),
        ([{"role": "user"}], "Turn 1 has no text"),
        ([{"role": "user", "content": [{"type": "text", "text": "x"}]}], "Turn 1 has no text"),
        ([{"role": "user", "text": "  "}], "Turn 1 is empty"),
        ([{"role": "user", "text": "a\0"}], "Turn 1 contains a NUL"),
        ([USER, {"role": "assistant", "text": "Bye."}], "The last turn is the assistant's"),
        ([USER, {"role": "system", "text": "x"}, USER], "can only be the first"),
        ([{"role": "system", "text": "x"}], "The last turn is the system's"),
    ],
)
def test_what_is_no_conversation(value: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        conversation.read(value)
