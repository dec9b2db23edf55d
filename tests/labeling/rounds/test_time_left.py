"""The time left is the longest way through what is left, and unknown where one part of it is."""

import pytest

from labeling.rounds.time_left import NOTHING, Span, as_before, at_pace, left

# a ─► b ─► d and a ─► c ─► d
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def test_side_by_side_the_slower_one_counts() -> None:
    guesses = {"a": Span(10, 20), "b": Span(1, 50), "c": Span(5, 5), "d": Span(100, 100)}
    assert left(DIAMOND, guesses) == Span(10 + 5 + 100, 20 + 50 + 100)


def test_what_is_done_takes_nothing() -> None:
    assert left(DIAMOND, {"a": NOTHING, "b": NOTHING, "c": Span(3, 4), "d": Span(1, 1)}) == Span(4, 5)
    assert left(DIAMOND, dict.fromkeys(DIAMOND, NOTHING)) == NOTHING


def test_one_unknown_stage_makes_the_whole_unknown() -> None:
    assert left(DIAMOND, {"a": NOTHING, "b": None, "c": Span(3, 4), "d": None}) == ["b", "d"]


def test_a_stage_needs_only_those_that_the_round_has() -> None:
    """A checkpoint may stand in for a stage."""
    assert left({"d": ("gone",)}, {"d": Span(1, 2)}) == Span(1, 2)


def test_two_paces_make_a_range() -> None:
    """100 labels at 2 and at 4 a second: 25 to 50 seconds."""
    assert at_pace(100, 2.0, 4.0) == Span(25, 50)
    assert at_pace(100, 0.0, 4.0) == Span(25, 25)
    assert at_pace(100, 0.0, None) is None


@pytest.mark.parametrize(
    ("took", "units", "span"),
    [
        ([(60.0, 30), (100.0, 25)], 10, Span(20, 40)),  # 2 and 4 seconds a label
        ([(60.0, 0), (90.0, 0)], 0, Span(60, 90)),  # a run: as long as it took
        ([], 10, None),
    ],
)
def test_it_takes_as_long_as_before(took: list[tuple[float, int]], units: int, span: Span | None) -> None:
    assert as_before(took, units) == span
