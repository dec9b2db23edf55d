"""What of the counts may be shown: nobody is singled out, also not by subtraction."""

import itertools

import pytest

from labeling.surveys.cells import cells
from labeling.surveys.questions import BY_KIND, NOT_SAID, Question

SCALE: Question = {
    "key": "q",
    "text": "?",
    "choices": [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")],
    "is_ordered": True,
    "is_multiple": False,
}
NAMES: Question = {**SCALE, "is_ordered": False}
SEVERAL: Question = {**SCALE, "is_ordered": False, "is_multiple": True}


def shown(question: Question, **counts: int) -> dict[str, int | None]:
    answers = sum(counts.values())
    known = {"" if key == "left_out" else key: count for key, count in counts.items()}
    return {cell.words: cell.count for cell in cells(question, known, answers)}


def test_fewer_than_five_answers_show_nothing() -> None:
    assert shown(SCALE, a=4) == {}
    assert shown(SCALE, a=5) == {"A": 5, "B": 0, "C": 0, "D": 0, "Left out": 0}


def test_a_small_cell_is_merged_with_its_neighbour_where_there_is_an_order() -> None:
    """19 people as in Table 13's 'repetitive': nobody, 6, 6, 7 need no merging; 1, 6, 6, 6 do."""
    assert shown(SCALE, b=6, c=6, d=7) == {"A": 0, "B": 6, "C": 6, "D": 7, "Left out": 0}
    assert shown(SCALE, a=1, b=6, c=6, d=6) == {"A / B": 7, "C": 6, "D": 6, "Left out": 0}


def test_without_an_order_the_smallest_are_merged() -> None:
    assert shown(NAMES, a=12, b=2, c=7, d=4) == {"A": 12, "B / D": 6, "C": 7, "Left out": 0}


def test_one_small_cell_takes_a_larger_one_with_it() -> None:
    """Shown alone, 9 of 10 would tell of the tenth."""
    assert shown(NAMES, a=9, b=1, c=8) == {"A": 9, "B / C": 9, "D": 0, "Left out": 0}
    assert shown(NAMES, a=9, b=1) == {}


def test_who_left_it_out_is_a_cell_like_the_others() -> None:
    assert shown(NAMES, a=9, c=8, left_out=1) == {"A": 9, "B": 0, "C / Left out": 9, "D": 0}


@pytest.mark.parametrize("question", [SCALE, NAMES], ids=["ordered", "unordered"])
def test_no_split_of_people_ever_shows_one_to_four(question: Question) -> None:
    """Every way in which up to 7 people a cell may answer: cells are 0 or at least 5, and add up to all answers, so
    that what is not shown is nothing."""
    for counts in itertools.product((0, 1, 2, 4, 5, 7), repeat=5):
        answers = sum(counts)
        made = cells(question, dict(zip(["a", "b", "c", "d", ""], counts, strict=True)), answers)
        found = [cell.count for cell in made if cell.count is not None]
        assert len(found) == len(made)
        assert all(count == 0 or count >= 5 for count in found), counts
        assert not made or sum(found) == answers, counts
        assert sum(len(cell.choices) for cell in made) in (0, 5), counts


@pytest.mark.parametrize(
    ("ticked", "answers", "expected"),
    [(0, 12, 0), (4, 12, None), (5, 12, 5), (7, 12, 7), (8, 12, None), (11, 12, None), (12, 12, 12), (5, 5, 5)],
)
def test_of_several_a_choice_needs_five_who_ticked_it_and_five_who_did_not(
    ticked: int, answers: int, expected: int | None
) -> None:
    made = {cell.words: cell.count for cell in cells(SEVERAL, {"a": ticked}, answers)}
    assert made["A"] == expected


def test_the_questions_follow_the_tables() -> None:
    """Table 13: five statements; Table 12: five questions, each with a way not to say."""
    assert [len(questions) for questions in BY_KIND.values()] == [5, 5]
    assert all(NOT_SAID in question["choices"] for question in BY_KIND["demographics"])
    assert [question["key"] for question in BY_KIND["demographics"] if question["is_multiple"]] == ["ethnicity"]
    for questions in BY_KIND.values():
        for question in questions:
            keys = [key for key, _ in question["choices"]]
            assert len(set(keys)) == len(keys)
            assert all(0 < len(key) <= 40 for key in keys)
