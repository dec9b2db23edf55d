"""Which prompts are labeled next; the numbers are worked out by hand."""

import math
from dataclasses import dataclass

import pytest

from labeling.errors import BadInput
from labeling.rounds import active
from labeling.rounds.active import choose, exploring, fit_scale


@dataclass(frozen=True)
class Said:
    pk: int
    text: str


Group = tuple[str, list[Said]]


def group(name: str, first: int, texts: str = "ab") -> Group:
    """A prompt with one completion for each letter, numbered from `first` on."""
    return name, [Said(first + place, text) for place, text in enumerate(texts)]


def names(chosen: list[Group]) -> list[str]:
    return [name for name, _ in chosen]


def by_ensemble(groups: list[Group], rewards: dict[int, list[float]], count: int = 1) -> list[str]:
    return names(choose(groups, rewards, "ensemble", count, 1, explore=0))


def by_labelers(groups: list[Group], rewards: dict[int, list[float]], count: int = 1) -> list[str]:
    return names(choose(groups, rewards, "labelers", count, 1, explore=0))


def test_disagreement_falls_into_what_is_not_known_and_what_labelers_differ_on() -> None:
    """Heads that say .9 and .1: 1/2 * 1/2 in all; each expects .09, and they are .4 from their mean."""
    assert active.labelers([0.9, 0.1]) == pytest.approx(0.09)
    assert active.ensemble([0.9, 0.1]) == pytest.approx(0.16)
    assert active.labelers([0.9, 0.9]) == pytest.approx(0.09)
    assert active.ensemble([0.9, 0.9]) == pytest.approx(0)


def test_a_heads_own_zero_is_no_disagreement() -> None:
    """Both heads prefer b by 1 in the first group, however far their levels are apart; in the second they differ."""
    groups = [group("levels", 0), group("differences", 10)]
    rewards = {0: [0.0, 50.0], 1: [1.0, 51.0], 10: [0.0, 0.0], 11: [0.3, -0.3]}
    assert by_ensemble(groups, rewards) == ["differences"]


def test_heads_that_differ_only_by_how_much_agree_on_the_winner() -> None:
    """The differences 5 and 15 are far apart, and the winner is the same; with -1 and 1 it is not."""
    groups = [group("settled", 0), group("open", 10)]
    rewards = {0: [5.0, 15.0], 1: [0.0, 0.0], 10: [-1.0, 1.0], 11: [0.0, 0.0]}
    assert by_ensemble(groups, rewards) == ["open"]


def test_labelers_are_expected_to_disagree_where_every_head_sees_a_close_call() -> None:
    groups = [group("clear", 0), group("close", 10), group("heads apart", 20)]
    rewards = {
        0: [3.0, 3.0],
        1: [0.0, 0.0],
        10: [0.1, 0.1],
        11: [0.0, 0.0],
        20: [3.0, -3.0],
        21: [0.0, 0.0],
    }
    assert by_labelers(groups, rewards) == ["close"]
    assert by_ensemble(groups, rewards) == ["heads apart"]


def test_all_pairs_of_a_group_count() -> None:
    """One open pair of three, .25 each, beside three pairs that are a little open."""
    groups = [group("one", 0, "abc"), group("all", 10, "abc")]
    rewards = {0: [0.0], 1: [0.0], 2: [99.0], 10: [0.0], 11: [1.0], 12: [2.0]}
    # mean of .25, 0, 0 = .083 against the mean of .1966, .1966, .1050 = .166
    assert by_labelers(groups, rewards) == ["all"]


def test_equal_texts_teach_nothing() -> None:
    """By pairs of completions the first group would have the closest calls: 3 of its 6 pairs are one text twice."""
    groups = [group("thrice the same", 0, "aaab"), group("four", 10, "abcd"), group("same", 20, "aaaa")]
    close = {pk: [0.0, 0.0] for pk in (0, 1, 2, 3, 20, 21, 22, 23)}
    rewards = close | {10: [0.0, 0.0], 11: [1.0, 1.0], 12: [2.0, 2.0], 13: [0.5, 0.5]}
    assert by_labelers(groups, rewards, 5) == ["four", "thrice the same"]
    assert sorted(names(choose(groups, rewards, "random", 5, 1))) == ["four", "thrice the same"]


def test_a_group_that_comes_twice_counts_once() -> None:
    groups = [group("a", 0), group("b", 10), group("a", 0)]
    rewards = {0: [0.0], 1: [0.0], 10: [5.0], 11: [0.0]}
    assert by_labelers(groups, rewards, 3) == ["a", "b"]


def test_a_share_is_drawn_by_chance_and_comes_first() -> None:
    """The value falls with the number: after the three that chance drew, the best of the rest in their order."""
    groups = [group(f"{number:03}", 10 * number) for number in range(100)]
    rewards = {10 * n + slot: [slot * 0.01 * n] for n in range(100) for slot in (0, 1)}
    chosen = names(choose(groups, rewards, "labelers", 30, 7, explore=0.1))
    assert exploring(30, 0.1) == 3
    assert chosen[:3] == names(choose(groups, {}, "random", 3, 7))
    rest = [name for name in names(groups) if name not in chosen[:3]]
    assert chosen[3:] == rest[:27]


def test_what_chance_draws_is_as_likely_from_anywhere() -> None:
    """Over 400 seeds each of ten groups is drawn about 40 times (standard deviation 6)."""
    groups = [group(str(number), 10 * number) for number in range(10)]
    rewards = {10 * n + slot: [slot * n * 1.0] for n in range(10) for slot in (0, 1)}
    drawn = [names(choose(groups, rewards, "labelers", 2, seed, explore=0.5))[0] for seed in range(400)]
    assert all(20 <= drawn.count(str(number)) <= 60 for number in range(10))


def test_the_choice_follows_from_the_seed() -> None:
    groups = [group(str(number), 10 * number) for number in range(50)]
    ties = {10 * n + slot: [1.0, 1.0] for n in range(50) for slot in (0, 1)}
    first, again, other = (names(choose(groups, ties, "ensemble", 20, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first)) == 20


def test_more_than_there_are_is_all_that_can_be_ranked() -> None:
    groups = [group("a", 0), group("b", 10)]
    rewards = {0: [0.0], 1: [1.0], 10: [0.0], 11: [1.0]}
    for by in ("random", "labelers"):
        assert sorted(names(choose(groups, rewards, by, 9, 1))) == ["a", "b"]
    assert choose(groups, rewards, "labelers", 0, 1) == []


@pytest.mark.parametrize(
    ("by", "rewards", "explore", "sentence"),
    [
        ("length", {0: [1.0], 1: [2.0]}, 0.1, "“length” is none of them"),
        ("labelers", {0: [1.0]}, 0.1, "The completion 1 has no reward"),
        ("ensemble", {0: [1.0], 1: [2.0]}, 0.1, "One head cannot disagree"),
        ("ensemble", {0: [1.0, 2.0], 1: [2.0, 1.0, 0.0]}, 0.1, "rewards of the same heads"),
        ("random", {}, 1.5, "it must be between 0 and 1"),
    ],
)
def test_what_cannot_be_chosen_by_is_a_sentence(
    by: str, rewards: dict[int, list[float]], explore: float, sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        choose([group("a", 0)], rewards, by, 1, 1, explore=explore)
    assert sentence in refused.value.sentence


def test_the_scale_gives_the_log_odds_that_were_observed() -> None:
    """The side that is 1 ahead wins 3 of 4, 1 : 3 are log odds of ln 3; rewards twice as large, half the factor."""
    for size in (1.0, 2.0):
        won, lost = [(size, 1), (0.0, 2)], [(0.0, 1), (size, 2)]
        assert fit_scale([won, won, won, lost]) == pytest.approx(math.log(3) / size, abs=1e-5)


def test_each_ranking_counts_once_and_ties_tell_nothing() -> None:
    """Two pairs of one ranking, both 1 apart and right, weigh as much as the one pair of another."""
    tie = [(5.0, 1), (0.0, 1)]
    won, lost = [(1.0, 1), (0.0, 2)], [(0.0, 1), (1.0, 2)]
    many = [(1.0, 1), (0.0, 2), (0.0, 2)]
    assert fit_scale([many, won, tie, won, lost]) == pytest.approx(math.log(3), abs=1e-5)


def test_rewards_worse_than_chance_and_always_right() -> None:
    won, lost = [(1.0, 1), (0.0, 2)], [(0.0, 1), (1.0, 2)]
    assert fit_scale([won, lost, lost]) == 0
    assert fit_scale([won]) == active.LARGEST_SCALE
    with pytest.raises(BadInput):
        fit_scale([[(1.0, 1), (0.0, 1)]])


def test_the_scale_says_how_open_a_pair_is() -> None:
    """Heads that differ by -1 and 1 are apart; at a scale of 0 nothing is preferred to anything, and all are equal."""
    groups = [group("open", 0), group("settled", 10)]
    rewards = {0: [-1.0, 1.0], 1: [0.0, 0.0], 10: [1.0, 1.0], 11: [0.0, 0.0]}
    assert by_ensemble(groups, rewards) == ["open"]
    equal = choose(groups, rewards, "ensemble", 2, 3, explore=0, scale=0)
    assert names(equal) == names(choose(groups, rewards, "random", 2, 3))
