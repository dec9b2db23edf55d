"""Every expected value is worked out by hand beside its case."""

from fractions import Fraction

import pytest

from labeling.screening.scores import Share, flag_agreement, mean_grade, ranking_agreement, verdict

YES, NO = True, False


def test_flags_against_one_researcher() -> None:
    # 1 same, 2 other, 3 same | 4 same: 3 of 4.
    assert flag_agreement([([YES, NO, NO], [[YES, YES, NO]]), ([YES], [[YES]])]) == Share(3, 4)


def test_flags_against_the_majority_of_three() -> None:
    # Majorities: yes (2:1), no (0:3), yes (2:1). The candidate says yes, no, no: 2 of 3.
    theirs = [[YES, NO, YES], [YES, NO, NO], [NO, NO, YES]]
    assert flag_agreement([([YES, NO, NO], theirs)]) == Share(2, 3)


def test_a_flag_on_which_researchers_are_split_is_left_out() -> None:
    # Flag 1 is split 1:1, flag 2 is no 0:2. Whatever the candidate says of flag 1, one flag counts.
    for said in (YES, NO):
        assert flag_agreement([([said, NO], [[YES, NO], [NO, NO]])]) == Share(1, 1)
    assert flag_agreement([([YES], [[YES], [NO]])]).fraction is None


def test_rankings_against_one_researcher() -> None:
    # The researcher: a > b > c > d. The candidate: a > c > b > d. Only the pair b, c is reversed: 5 of 6.
    assert ranking_agreement([([1, 3, 2, 4], [[1, 2, 3, 4]])]) == Share(5, 6)


def test_ties_of_either_side_are_left_out() -> None:
    # The candidate ties a, b; the researcher ties c, d. Left: ac, ad, bc, bd, all alike: 4 of 4.
    assert ranking_agreement([([1, 1, 2, 3], [[1, 2, 3, 3]])]) == Share(4, 4)
    assert ranking_agreement([([1, 1], [[1, 2]])]).fraction is None


def test_rankings_against_the_majority_of_three() -> None:
    # a, b: 2 of 3 say a. a, c: all say a. b, c: 2 say b. The candidate, c > a > b: ab alike, ac and bc opposed: 1 of 3.
    assert ranking_agreement([([2, 3, 1], [[1, 2, 3], [1, 3, 2], [2, 1, 3]])]) == Share(1, 3)


def test_a_pair_on_which_two_researchers_are_opposed_is_left_out() -> None:
    # a, b opposed. Both say a > c and b > c. The candidate, a > b > c: 2 of 2.
    assert ranking_agreement([([1, 2, 3], [[1, 2, 3], [2, 1, 3]])]) == Share(2, 2)


def test_items_with_more_and_fewer_completions_add_up() -> None:
    # 2 completions, reversed: 0 of 1. 3 completions, the same: 3 of 3. Together 3 of 4, which is 75 %.
    share = ranking_agreement([([2, 1], [[1, 2]]), ([1, 2, 3], [[1, 2, 3]])])
    assert share == Share(3, 4)
    assert verdict(share.fraction, Fraction(75, 100)) == "above"


def test_nothing_asked_is_nothing_known() -> None:
    assert ranking_agreement([]) == flag_agreement([]) == Share(0, 0)
    assert mean_grade([]) is mean_grade([[], []]) is None


def test_each_demonstration_counts_once_however_many_graded_it() -> None:
    # (7 + 5) / 2 = 6 and 3: the mean is 4.5, not (7 + 5 + 3) / 3 = 5. One without a grade is left out.
    assert mean_grade([[7, 5], [3], []]) == Fraction(9, 2)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "unknown"), (Fraction(3, 4), "above"), (Fraction(74, 100), "below"), (Fraction(1), "above")],
)
def test_a_cut_off_is_reached_where_it_is_met(value: Fraction | None, said: str) -> None:
    assert verdict(value, Fraction(75, 100)) == said
