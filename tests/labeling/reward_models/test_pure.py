"""Agreement, calibration, bias and contradictions, by hand and against scipy."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from labeling.reward_models.contradictions import contradictions
from labeling.reward_models.quality import compute
from labeling.reward_models.scored import Scored
from labeling.reward_models.style import FEATURES
from training.rlhf.reward_quality import expected_calibration_error, log_loss, pair_accuracy, reliability

TEXTS = ("short", "a bit longer", "longer still than that", "the longest of all of these texts")


def ranking(number: int, places: tuple[int, ...], rewards: tuple[float, ...], **about: Any) -> Scored:
    given: dict[str, Any] = {
        "item": number, "batch": 1, "prompt": f"p{number}", "use_case": "chat", "cohort": "held_out", "labeler": "l-1",
        "spreads": (0.0,) * len(places), "texts": TEXTS[: len(places)],
    } | about  # fmt: skip
    ids = tuple(10 * number + at for at in range(len(places)))
    return Scored(ranking=number, completions=ids, places=places, rewards=rewards, **given)


def many(count: int = 12) -> list[Scored]:
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        places = tuple(int(place) for place in rng.integers(1, 4, 4))
        rewards = tuple(float(-place + noise) for place, noise in zip(places, rng.normal(0, 1, 4), strict=True))
        made.append(ranking(number, places, rewards, use_case="chat" if number % 2 else "open_qa"))
    return made


def test_accuracy_loss_and_calibration_are_what_the_training_half_says() -> None:
    """Two halves that may not import each other: they must not disagree about the same rankings."""
    scored = many()
    theirs = [list(zip(one.rewards, one.places, strict=True)) for one in scored]
    found = compute(scored)
    whole = found.groups[0]
    assert whole.accuracy and whole.log_loss
    assert whole.accuracy.value == pytest.approx(pair_accuracy(theirs))
    assert whole.log_loss.value == pytest.approx(log_loss(theirs))
    bins = reliability(theirs)
    assert [(one.pairs, one.predicted) for one in found.bins] == [
        (bin["count"], pytest.approx(bin["predicted"])) for bin in bins
    ]
    assert [one.observed.value for one in found.bins if one.observed] == pytest.approx([b["observed"] for b in bins])
    assert found.calibration_error == pytest.approx(expected_calibration_error(bins))


def test_groups_are_counted_apart() -> None:
    found = {(group.by, group.value): group for group in compute(many()).groups}
    assert {by for by, _ in found} == {"all", "cohort", "use_case", "k"}
    assert found["use_case", "chat"].rankings == found["use_case", "open_qa"].rankings == 6
    assert found["k", "4"].comparisons == found["all", ""].comparisons


def test_the_ceiling_is_how_often_two_labelers_order_a_pair_alike() -> None:
    """Four completions, six pairs, the first two turned around: 5 of 6. An item with one labeler says nothing."""
    rewards = (4.0, 3.0, 2.0, 1.0)
    both = [ranking(at, places, rewards, item=7, prompt="p") for at, places in enumerate([(1, 2, 3, 4), (2, 1, 3, 4)])]
    found = compute([*both, ranking(5, (4, 3, 2, 1), rewards)])
    ceiling = found.groups[0].agreement
    assert ceiling is not None and ceiling.value == pytest.approx(5 / 6)
    assert ceiling.low is None  # one prompt


def test_a_model_that_loves_length_is_caught_and_people_are_not() -> None:
    """The model's reward is the length. People order at random: 12 prompts, all 24 orders of four in turn."""
    rng = np.random.default_rng(2)
    scored = [
        ranking(at, tuple(int(one) for one in rng.permutation(4) + 1), tuple(float(len(text)) for text in TEXTS))
        for at in range(60)
    ]
    found = compute(scored)
    longer = found.preferences[0]
    assert longer.model and longer.people and longer.apart and found.length_correlation and found.shorter_preferred
    assert longer.model.value == 1.0
    assert abs(longer.people.value - 0.5) < 0.1
    assert longer.apart.value == pytest.approx(1 - longer.people.value)
    assert longer.apart.low is not None and longer.apart.low > 0.3
    assert found.length_correlation.value == pytest.approx(1.0)
    assert found.shorter_preferred.value == 0.0
    assert found.longer_preferred and found.longer_preferred.value == 1.0


def test_the_correlation_with_length_is_scipys_of_what_is_left_within_rankings() -> None:
    scored = many()
    x = np.concatenate([np.array(one.rewards) - np.mean(one.rewards) for one in scored])
    lengths = np.array([len(text) for text in TEXTS], float)
    y = np.tile(lengths - lengths.mean(), len(scored))
    found = compute(scored).length_correlation
    assert found is not None and found.value == pytest.approx(stats.pearsonr(x, y).statistic)


def test_spread_is_larger_where_the_model_is_wrong() -> None:
    right = [ranking(at, (1, 2), (1.0, 0.0), spreads=(0.1, 0.0)) for at in range(8)]
    wrong = [ranking(at + 10, (2, 1), (1.0, 0.0), spreads=(0.6, 0.8)) for at in range(4)]
    found = compute([*right, *wrong])
    assert found.spread_right and found.spread_wrong
    assert found.spread_right.value == pytest.approx(0.1)
    assert found.spread_wrong.value == pytest.approx(1.0)
    thirds = [one.value for one in found.by_spread if one]
    assert thirds[0] == 1.0 and thirds[-1] == 0.0
    assert compute(many()).by_spread == []


def test_nothing_scored_is_nothing_found() -> None:
    assert compute([]).groups[0].accuracy is None
    ties = compute([ranking(1, (1, 1), (0.5, 0.2))])
    assert ties.groups[0].accuracy is None and ties.bins == [] and ties.calibration_error is None


SEEN = {
    "list": ["Do this:\n- one\n- two", "1. first\n2. second"],
    "markup": ["# Title\ntext", "This is **bold**.", "```\ncode\n```"],
    "question": ["Is it so?"],
    "refusal": ["I'm sorry, no.", "I cannot help with that.", "As an AI language model, I", "I can’t answer this"],
    "hedge": ["Perhaps it rains.", "It depends on you"],
    "first-person": ["Then I went home", "It is mine"],
    "repetition": ["the cat sat on the mat and the cat sat on the mat and the cat sat"],
}
NOT_SEEN = {
    "list": ["It fell by -3 degrees.", "In 1999. we"],
    "markup": ["2 * 3 * 4", "C# is a language"],
    "question": ["So it is."],
    "refusal": ["I can help with that.", "You cannot park here.", "He was sorry"],
    "hedge": ["It rains in May."],
    "first-person": ["It is in the box", "MY in capitals is not counted; i is a letter"],
    "repetition": ["the the the the", "Every word of this sentence stands here once and for a reason of its own."],
}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.key)
def test_features_hold_where_an_eye_sees_them(feature: Any) -> None:
    assert [text for text in SEEN[feature.key] if not feature.holds(text)] == []
    assert [text for text in NOT_SEEN[feature.key] if feature.holds(text)] == []


def test_contradictions_are_sorted_by_what_is_left_after_the_spread() -> None:
    sure = ranking(1, (1, 2), (0.0, 3.0))
    unsure = ranking(2, (1, 2), (0.0, 4.0), spreads=(1.2, 1.6))  # 4 - 2 = 2
    agreed = ranking(3, (1, 2), (3.0, 0.0))
    tied = ranking(4, (1, 1), (0.0, 9.0))
    first, second = contradictions([unsure, agreed, tied, sure])
    assert (first.ranking, second.ranking) == (1, 2)
    assert first.probability == first.confidence == pytest.approx(1 / (1 + math.exp(-3)))
    assert second.probability == pytest.approx(1 / (1 + math.exp(-4)))
    assert second.confidence == pytest.approx(1 / (1 + math.exp(-2)))
    assert (first.preferred, first.other, first.preferred_place, first.other_place) == (10, 11, 1, 2)
    assert contradictions([sure, unsure], least=0.9) == [first]


def test_a_ranking_stands_once_with_the_pair_that_is_contradicted_most() -> None:
    [one] = contradictions([ranking(1, (1, 2, 3), (0.0, 1.0, 2.5))])
    assert (one.preferred, one.other, one.delta) == (10, 12, 2.5)
