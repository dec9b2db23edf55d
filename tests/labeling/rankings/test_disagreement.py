"""How far rankings contradict each other: counted by hand."""

import pytest

from labeling.rankings.disagreement import opposed

UP = {"a": 1, "b": 2, "c": 3, "d": 4}


@pytest.mark.parametrize(
    ("rankings", "share"),
    [
        ([], 0),
        ([UP], 0),
        ([UP, UP], 0),
        ([UP, {"a": 4, "b": 3, "c": 2, "d": 1}], 1),
        ([UP, {"a": 2, "b": 1, "c": 3, "d": 4}], 1 / 6),  # one pair of six
        ([UP, {"a": 4, "b": 1, "c": 2, "d": 3}], 3 / 6),  # a against each of the others
        ([UP, {"a": 1, "b": 1, "c": 1, "d": 1}], 0),  # a tie opposes nothing
        ([UP, {"a": 2, "b": 1, "c": 1, "d": 1}], 3 / 6),
        ([UP, UP, {"a": 4, "b": 3, "c": 2, "d": 1}], 2 / 3),  # two of the three twos are reversed
        ([UP, UP, UP, {"a": 4, "b": 3, "c": 2, "d": 1}], 3 / 6),
    ],
)
def test_the_share_of_opposed_pairs(rankings: list[dict[str, int]], share: float) -> None:
    assert opposed(rankings) == pytest.approx(share)
