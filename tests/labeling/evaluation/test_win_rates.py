"""Win rates worked out by hand."""

import pytest

from labeling.evaluation.win_rates import Judgement, win_rate


def test_a_tie_is_half_a_win() -> None:
    judgements = [
        Judgement("a", {"new": 1, "old": 2}),
        Judgement("b", {"new": 2, "old": 1}),
        Judgement("c", {"new": 1, "old": 1}),
        Judgement("d", {"new": 1, "old": 4}),
    ]
    assert win_rate(judgements, "new", "old").rate == pytest.approx((1 + 0 + 0.5 + 1) / 4)
    assert win_rate(judgements, "old", "new").rate == pytest.approx((0 + 1 + 0.5 + 0) / 4)


def test_how_far_apart_two_places_are_does_not_matter() -> None:
    near = [Judgement("a", {"new": 1, "old": 2}), Judgement("b", {"new": 2, "old": 1})]
    far = [Judgement("a", {"new": 1, "old": 9}), Judgement("b", {"new": 9, "old": 1})]
    assert win_rate(near, "new", "old") == win_rate(far, "new", "old")


def test_other_policies_in_the_same_ranking_do_not_count() -> None:
    judgements = [Judgement("a", {"new": 2, "old": 3, "base": 1})]
    assert win_rate(judgements, "new", "old").rate == 1.0


def test_judgements_that_lack_one_of_the_two_are_left_out() -> None:
    judgements = [Judgement("a", {"new": 1, "old": 2}), Judgement("b", {"old": 1, "base": 2})]
    found = win_rate(judgements, "new", "old")
    assert (found.rate, found.clusters) == (1.0, 1)


def test_prompts_are_counted_once_however_many_judged_them() -> None:
    judgements = [Judgement("a", {"new": 1, "old": 2})] * 3 + [Judgement("b", {"new": 2, "old": 1})]
    found = win_rate(judgements, "new", "old")
    assert (found.rate, found.clusters) == (0.75, 2)


def test_no_judgement_of_both_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        win_rate([Judgement("a", {"old": 1})], "new", "old")
