"""Log odds, standings and best of n, by hand."""

import itertools
import math

import numpy as np
import pytest

from labeling.figures import people


def test_a_gain_is_the_log_odds_with_half_a_win_on_both_sides() -> None:
    found = people.gains([{"a": [1, 1], "b": [0.5, 0]}, {"a": [1], "c": [1]}])
    assert found.rates == pytest.approx([0.625, 1.0])
    assert found.gains == pytest.approx([math.log(3.0 / 2.0), math.log(2.5 / 0.5)])
    assert found.prompts == [2, 2]
    assert np.isfinite(found.drawn).all()


def test_intervals_draw_whole_prompts() -> None:
    """100 prompts, each said by one labeler or by nine alike: nine times the same says nothing new."""
    once = {str(at): [float(at % 10 < 7)] for at in range(100)}
    nine = {prompt: scores * 9 for prompt, scores in once.items()}
    alone, many = people.gains([once]).interval(0), people.gains([nine]).interval(0)
    assert alone == pytest.approx(many, abs=0.05)
    # The normal approximation: standard error of log odds is 1 / sqrt(n p (1 - p)).
    half = 1.96 / math.sqrt(100 * 0.7 * 0.3)
    assert alone == pytest.approx((math.log(7 / 3) - half, math.log(7 / 3) + half), abs=0.12)


def test_standing_is_the_share_of_others_that_are_beaten() -> None:
    assert people.standing([1, 2, 2, 4]) == pytest.approx([1.0, 0.5, 0.5, 0.0])
    assert people.standing([1, 1]) == [0.5, 0.5]


def test_best_of_n_is_the_mean_over_all_draws_of_n() -> None:
    rewards, places = [0.1, 0.9, 0.5, 0.3], [1, 2, 4, 3]
    found = people.best_of([("p", rewards, places)])
    standing = [1.0, 2 / 3, 0.0, 1 / 3]
    for n in (2, 3, 4):
        draws = list(itertools.combinations(range(4), n))
        expected = sum(standing[max(draw, key=rewards.__getitem__)] for draw in draws) / len(draws)
        assert found[n]["p"] == pytest.approx([expected])


def test_an_n_that_few_rankings_have_is_left_out() -> None:
    four, nine = [0.0, 1.0, 2.0, 3.0], [float(at) for at in range(9)]
    rankings = [("a", four, [1, 2, 3, 4]), ("b", four, [1, 2, 3, 4]), ("c", nine, list(range(1, 10)))]
    assert sorted(people.best_of(rankings)) == [2, 3, 4]
    assert people.best_of([]) == {}
