import itertools
import math
from collections import Counter

import pytest

from training.rlhf.comparisons import RankedPrompt
from training.rlhf.labeler_folds import draw_prompts, labeler_groups, mean_and_error, restrict, split

# Rows are named by their one token. Ann and Bob have ranked the first prompt, Cem the second, Ann the third (a tie).
PROMPTS = [
    RankedPrompt([9], [[1], [2], [3]], [[(0, 1), (2, 2)], [(1, 1), (2, 2)]]),
    RankedPrompt([9], [[4], [5]], [[(1, 1), (0, 2)]]),
    RankedPrompt([9], [[6], [7]], [[(0, 1), (1, 1)]]),
]
LABELERS = [["ann", "bob"], ["cem"], ["ann"]]
GROUP_OF = {"ann": 0, "bob": 1, "cem": 2}


def test_groups_are_of_like_size_and_drawn_by_the_seed() -> None:
    labelers = [f"l{number}" for number in range(12)]
    groups = labeler_groups(labelers, 5, seed=1)
    assert sorted(Counter(groups.values()).items()) == [(0, 3), (1, 3), (2, 2), (3, 2), (4, 2)]
    assert groups.keys() == set(labelers)
    assert groups == labeler_groups(labelers[::-1], 5, seed=1)
    assert len({tuple(labeler_groups(labelers, 5, seed)[name] for name in labelers) for seed in range(20)}) == 20


def test_a_share_of_the_prompts_is_drawn() -> None:
    assert [len(draw_prompts(10, share, seed=1)) for share in (0.01, 0.2, 0.5)] == [1, 2, 5]
    drawn = Counter(itertools.chain.from_iterable(draw_prompts(10, 0.2, seed) for seed in range(2000)))
    assert all(abs(drawn[position] - 400) < 6 * math.sqrt(2000 * 0.2 * 0.8) for position in range(10))


def test_a_prompt_keeps_the_completions_of_the_rankings_it_keeps() -> None:
    assert restrict(PROMPTS[0], [False, True]) == RankedPrompt([9], [[2], [3]], [[(0, 1), (1, 2)]])
    assert restrict(PROMPTS[0], [True, False]) == RankedPrompt([9], [[1], [3]], [[(0, 1), (1, 2)]])
    assert restrict(PROMPTS[0], [True, True]) == PROMPTS[0]
    assert restrict(PROMPTS[0], [False, False]) == RankedPrompt([9], [], [])


def test_a_fold_learns_from_the_others_on_prompts_that_it_is_not_measured_on() -> None:
    fold = split(PROMPTS, LABELERS, GROUP_OF, left_out=1, held_out_prompts={0})
    assert fold.train == [PROMPTS[1]]  # the third prompt is all ties
    assert fold.within == [RankedPrompt([9], [[1], [3]], [[(0, 1), (1, 2)]])]
    assert fold.held_out == [RankedPrompt([9], [[2], [3]], [[(0, 1), (1, 2)]])]


def test_every_ranking_is_held_out_once_and_measured_within_by_all_other_folds() -> None:
    folds = [split(PROMPTS, LABELERS, GROUP_OF, left_out, {0, 1}) for left_out in range(3)]
    # By its winner's token: Ann has chosen 1, Bob 2, Cem 5.
    held_out, within = (
        Counter(
            prompt.completions[winner][0]
            for fold in folds
            for prompt in getattr(fold, part)
            for winner, _ in prompt.pairs
        )
        for part in ("held_out", "within")
    )
    assert held_out == {1: 1, 2: 1, 5: 1}
    assert within == {1: 2, 2: 2, 5: 2}


def test_the_error_is_that_of_the_folds_means() -> None:
    """Means .6, .7 and .8: mean .7, standard deviation .1, and its error .1 / sqrt(3)."""
    mean, error = mean_and_error([[0.5, 0.7], [0.7, 0.7], [0.9, 0.7]])
    assert (mean, error) == (pytest.approx(0.7), pytest.approx(0.1 / math.sqrt(3)))
