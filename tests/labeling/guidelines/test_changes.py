"""The readable difference between two versions."""

import time

from labeling.guidelines.changes import Passage, changes


def said(passages: list[Passage]) -> list[str]:
    """Passages as one writes them on paper: [-gone-] {+new+}, and ~n for n that are left out."""
    signs = {"same": "{}", "added": "{{+{}+}}", "removed": "[-{}-]"}
    return [
        f"~{passage.left_out}"
        if passage.left_out
        else "".join(signs[piece.kind].format(piece.text) for piece in passage.pieces)
        for passage in passages
    ]


def test_equal_texts_have_none() -> None:
    assert changes("One.\n\nTwo.", "One.\n\nTwo.") == []
    assert changes("", "") == []


def test_a_word_is_replaced_inside_its_paragraph() -> None:
    assert said(changes("Be kind to all.", "Be honest to all.")) == ["Be [-kind -]{+honest +}to all."]


def test_the_last_word_does_not_stick_to_what_replaces_it() -> None:
    assert said(changes("Be kind.", "Be honest.")) == ["Be [-kind. -]{+honest.+}"]


def test_paragraphs_come_and_go() -> None:
    assert said(changes("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.")) == ["~1", "Two.", "{+Three.+}"]
    assert said(changes("One.\n\nTwo.", "Two.")) == ["[-One.-]", "Two."]
    assert said(changes("", "One.")) == ["{+One.+}"]


def test_what_lies_far_from_a_change_is_left_out() -> None:
    before = [f"Paragraph {number}." for number in range(10)]
    after = [*before[:4], "New.", *before[4:9], "Last."]
    assert said(changes("\n\n".join(before), "\n\n".join(after))) == [
        "~3",
        "Paragraph 3.",
        "{+New.+}",
        "Paragraph 4.",
        "~3",
        "Paragraph 8.",
        "[-Paragraph 9. -]{+Last.+}",
    ]


def test_wrapping_a_line_elsewhere_is_no_change() -> None:
    assert changes("A long\nline of words.", "A long line\nof words.") == []


def test_the_lines_of_a_list_stay_apart() -> None:
    assert said(changes("- one\n- two", "- one\n- two\n- three")) == ["- one\n- two\n{+- three+}"]


def test_code_keeps_its_lines() -> None:
    assert "a\nb" in said(changes("```\na\nb\n```", "```\na\nb\nc\n```"))[0]


def test_two_long_texts_without_anything_in_common_take_no_time() -> None:
    before = " ".join(f"a{number % 700}" for number in range(4000))
    after = " ".join(f"b{number % 600}" for number in range(4000))
    start = time.monotonic()
    assert len(changes(before, after)) == 1
    assert time.monotonic() - start < 2
