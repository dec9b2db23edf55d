"""Prompts in: what is stored, counted, refused, and where it is put."""

import re
from collections import Counter

import pytest

from labeling.models import Prompt, Split
from labeling.prompts.intake import Refusal, split_of, take_in
from labeling.texts import MAX_CHARACTERS

pytestmark = pytest.mark.django_db


def refusal(row: dict[str, object]) -> str:
    intake = take_in([row], source="test")
    assert (intake.added, intake.duplicates, len(intake.refused)) == (0, 0, 1)
    assert Prompt.objects.count() == 0
    return intake.refused[0].sentence


def test_rows_are_stored_with_what_they_say() -> None:
    row = {"prompt": "Name a river.", "use_case": "open_qa", "split": "valid", "owner": "u1"}
    assert take_in([row], source="rivers.jsonl").added == 1
    prompt = Prompt.objects.get()
    assert (prompt.text, prompt.use_case, prompt.split, prompt.owner, prompt.source) == (
        "Name a river.",
        "open_qa",
        "valid",
        "u1",
        "rivers.jsonl",
    )


def test_text_is_another_name_for_prompt() -> None:
    assert take_in([{"text": "Name a river."}], source="test").added == 1


def test_texts_are_normalized() -> None:
    take_in([{"prompt": "  Cafe\u0301\r\nau lait\r?  "}], source="test")
    assert Prompt.objects.get().text == "Caf\u00e9\nau lait\n?"


def test_a_text_is_kept_once() -> None:
    rows = [{"prompt": "Caf\u00e9?"}, {"prompt": " Cafe\u0301? \r\n"}]
    intake = take_in(rows, source="test")
    assert (intake.added, intake.duplicates) == (1, 1)
    again = take_in(rows, source="test")
    assert (again.added, again.duplicates) == (0, 2)
    assert Prompt.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "no text"),
        ({"prompt": None}, "no text"),
        ({"prompt": 7}, "no text"),
        ({"prompt": " \n\t "}, "is empty"),
        ({"prompt": "a\0b"}, "NUL"),
        ({"prompt": "a\ud800b"}, r"U\+D800"),
        ({"prompt": "x" * (MAX_CHARACTERS + 1)}, "20,001 characters"),
        ({"prompt": "x", "use_case": "poetry"}, "“poetry” is unknown"),
        ({"prompt": "x", "split": "dev"}, "“dev” is unknown"),
        ({"prompt": "x", "owner": ["u"]}, "“owner” is not a text"),
        ({"prompt": "x", "owner": "u\0"}, "NUL"),
        ({"prompt": "x", "owner": "u" * 101}, "101 characters"),
    ],
)
def test_bad_rows_are_refused_with_a_sentence(row: dict[str, object], sentence: str) -> None:
    assert re.search(sentence, refusal(row))


def test_the_longest_text_is_taken() -> None:
    assert take_in([{"prompt": "x" * MAX_CHARACTERS}], source="test").added == 1


def test_a_bad_row_does_not_harm_the_others() -> None:
    intake = take_in([{"prompt": "one"}, {"prompt": ""}, {"prompt": "three"}], source="test")
    assert intake.added == 2
    assert intake.refused == [Refusal(2, "The prompt is empty.")]
    assert str(intake) == "2 added, 0 duplicates, 1 refused"


def test_splits_by_owner_are_stable_and_about_80_10_10() -> None:
    # The first 16 hex digits of `printf split:<owner> | sha256sum`, modulo 10 by bc: 4, 7, 8, 8 and 9.
    owners = ("alice", "walter", "ivan", "trent", "victor")
    assert [split_of(owner) for owner in owners] == ["train", "train", "valid", "valid", "test"]
    shares = Counter(split_of(f"owner {number}") for number in range(10_000))
    assert 7800 < shares[Split.TRAIN] < 8200
    assert 850 < shares[Split.VALID] < 1150
    assert 850 < shares[Split.TEST] < 1150


def test_one_owner_never_spans_splits() -> None:
    rows = [{"prompt": f"{owner} asks {number}", "owner": owner} for owner in "abcdefgh" for number in range(5)]
    take_in(rows, source="test")
    splits = {(prompt.owner, prompt.split) for prompt in Prompt.objects.all()}
    assert len(splits) == 8
    assert len({split for _, split in splits}) > 1


def test_a_row_cannot_move_its_owner_to_another_split() -> None:
    take_in([{"prompt": "one", "owner": "u", "split": "train"}], source="test")
    intake = take_in([{"prompt": "two", "owner": "u", "split": "test"}], source="test")
    assert intake.added == 0
    assert "stays in one split" in intake.refused[0].sentence


def test_a_later_row_without_a_split_follows_its_owner() -> None:
    other = next(split for split in Split.values if split != split_of("u"))
    take_in([{"prompt": "one", "owner": "u", "split": other}], source="test")
    assert take_in([{"prompt": "two", "owner": "u"}], source="test").added == 1
    assert set(Prompt.objects.values_list("split", flat=True)) == {other}


def test_owners_are_capped_over_all_uploads() -> None:
    rows = [{"prompt": f"p{number}", "owner": "u"} for number in range(5)]
    take_in(rows[:2], source="test", cap_per_owner=3)
    intake = take_in(rows[2:], source="test", cap_per_owner=3)
    assert intake.added == 1
    assert [refusal.line for refusal in intake.refused] == [2, 3]
    assert "most that one owner may have" in intake.refused[0].sentence


def test_the_key_that_groups_owners_is_configurable() -> None:
    rows = [{"prompt": f"p{n}", "owner": f"user {n}", "organization": "acme"} for n in range(4)]
    take_in(rows, source="test", owner_key="organization")
    assert set(Prompt.objects.values_list("owner", flat=True)) == {"acme"}


CONVERSATION = [
    {"role": "user", "content": "Hi."},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "And now?"},
]


@pytest.mark.parametrize("name", ["turns", "messages"])
def test_a_conversation_is_kept_with_its_turns_and_as_one_text(name: str) -> None:
    assert take_in([{name: CONVERSATION, "use_case": "chat"}], source="test").added == 1
    prompt = Prompt.objects.get()
    assert prompt.text == "User: Hi.\n\nAssistant: Hello!\n\nUser: And now?"
    assert prompt.turns == [
        {"role": "user", "text": "Hi."},
        {"role": "assistant", "text": "Hello!"},
        {"role": "user", "text": "And now?"},
    ]
    assert take_in([{name: CONVERSATION}], source="test").duplicates == 1


def test_one_turn_is_a_plain_prompt() -> None:
    take_in([{"messages": CONVERSATION[:1]}], source="test")
    prompt = Prompt.objects.get()
    assert (prompt.text, prompt.turns) == ("Hi.", None)
    assert take_in([{"prompt": "Hi."}], source="test").duplicates == 1


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"messages": CONVERSATION[:2]}, "The last turn is the assistant's"),
        ({"messages": CONVERSATION, "prompt": "Hi."}, "which of them is meant"),
        ({"messages": []}, "no text"),
        ({"turns": "[]"}, "not a list"),
        ({"turns": [{"role": "user", "text": "x" * 10_000}] * 2}, "The conversation has 20,014 characters"),
    ],
)
def test_bad_conversations_are_refused(row: dict[str, object], sentence: str) -> None:
    assert sentence in refusal(row)
