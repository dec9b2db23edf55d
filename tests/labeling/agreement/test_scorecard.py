"""What stands out about a labeler: by hand for single numbers, and whether the right ones of a population are found."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.labeler_flags import measure
from labeling.agreement.scorecard import Scorecards, flags, scorecards
from tests.labeling.agreement.orders import Item, rankings

IN_ORDER = [1, 2, 3, 4]


def cards_of(items: Sequence[Item], positions: Sequence[Sequence[int]], labelers: int) -> Scorecards:
    made = rankings(items)
    return scorecards(made, np.array(positions, dtype=np.uint8), len(items), labelers)


def test_how_often_what_stood_first_is_preferred_by_hand() -> None:
    """Places 1 2 2 3: of five pairs in order all prefer the earlier one, reversed none, the first two swapped four."""
    item: Item = {0: [1, 2, 2, 3], 1: [1, 2, 2, 3], 2: [1, 2, 2, 3]}
    found = cards_of([item], [[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 3, 4]], 3)
    assert found.first_preferred.tolist() == [1.0, 0.0, 4 / 5]


def test_agreement_with_the_others_by_hand() -> None:
    """Three in order and one who turns the last two around: 6 of 6, and 5 of 6."""
    found = cards_of([{0: IN_ORDER, 1: IN_ORDER, 2: IN_ORDER, 3: [1, 2, 4, 3]}], [IN_ORDER] * 4, 4)
    assert found.with_others.tolist() == [1.0, 1.0, 1.0, pytest.approx(5 / 6)]


def test_rankings_that_repeat_an_earlier_one() -> None:
    """Gaps between places carry no meaning; the first of an item has nothing to repeat."""
    items: list[Item] = [{0: [1, 2, 3, 4], 1: [2, 4, 6, 8]}, {1: [4, 3, 2, 1], 2: [1, 2, 3, 4]}]
    found = cards_of(items, [IN_ORDER] * 4, 3)
    assert np.isnan(found.repeats_earlier[0])
    assert found.repeats_earlier[1:].tolist() == [1.0, 0.0]


def test_the_same_places_from_top_to_bottom_whatever_stands_there() -> None:
    """Labeler 0 places by position alone; labeler 1 has two patterns, half and half."""
    rng = np.random.default_rng(0)
    positions = [(rng.permutation(4) + 1).tolist() for _ in range(60)]
    items: list[Item] = [{0: position} for position in positions[:30]]
    turned = [[{1: 2, 2: 1}.get(place, place) for place in position] for position in positions[30:]]
    items += [
        {1: position if at % 2 else other}
        for at, (position, other) in enumerate(zip(positions[30:], turned, strict=True))
    ]
    found = cards_of(items, positions, 2)
    assert found.same_pattern.tolist() == [1.0, 0.5]
    assert found.entropy.tolist() == [pytest.approx(0), pytest.approx(1)]
    assert flags(found).always_the_same.tolist() == [True, True]


def test_few_rankings_are_no_pattern_and_no_flag() -> None:
    found = cards_of([{0: IN_ORDER}, {0: IN_ORDER}], [IN_ORDER] * 2, 2)
    assert np.isnan(found.same_pattern).all()
    assert found.rankings.tolist() == [2, 0]
    assert not flags(found).any.any()


def test_careless_biased_and_copying_labelers_are_found() -> None:
    precision, recall, *_ = measure(150, seeds=2)
    assert precision >= 0.9
    assert recall >= 0.9
