import math
import random

import pytest

from training.rlhf.reward_quality import (
    Judgement,
    Ranking,
    accuracy_interval,
    best_of_n_wins,
    bootstrap_interval,
    by_group,
    expected_calibration_error,
    log_loss,
    pair_accuracy,
    reliability,
)

RIGHT: Ranking = [(0.9, 1), (0.5, 2), (0.1, 3)]  # 3 pairs, all right
WRONG: Ranking = [(0.1, 1), (0.5, 2), (0.9, 3)]


def test_accuracy_counts_pairs_that_are_not_tied() -> None:
    # Pairs: (0.9 over 0.1) right, (0.9 over 0.95) wrong; the tie of the last two is no pair.
    assert pair_accuracy([[(0.9, 1), (0.1, 2), (0.95, 2)]]) == 0.5


def test_equal_scores_count_half() -> None:
    assert pair_accuracy([[(0.3, 1), (0.3, 2)]]) == 0.5


def test_log_loss_is_the_mean_over_rankings() -> None:
    found = log_loss([[(0.3, 1), (-0.2, 2)], [(2.0, 1), (2.0, 2), (2.0, 3)]])
    assert found == pytest.approx((0.4740769842 + math.log(2)) / 2, abs=1e-9)


def test_the_best_of_n_meets_each_other_completion_once() -> None:
    # The highest score has rank 2 of (1, 2, 2, 3): it loses once, ties once, wins once.
    assert best_of_n_wins([[(0.1, 1), (0.8, 2), (0.3, 2), (0.2, 3)]]) == [0.5]
    assert best_of_n_wins([[(0.9, 1), (0.8, 2), (0.3, 3)]]) == [1.0]


def test_the_bootstrap_interval_is_that_of_the_normal_approximation() -> None:
    values = [1.0] * 300 + [0.0] * 100
    low, high = bootstrap_interval(values, 2000, seed=0)
    error = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == (pytest.approx(0.75 - error, abs=0.006), pytest.approx(0.75 + error, abs=0.006))


def test_without_pairs_there_is_no_accuracy() -> None:
    assert math.isnan(pair_accuracy([[(0.1, 1), (0.2, 1)]]))
    assert math.isnan(log_loss([[(0.1, 1), (0.2, 1)]]))


def test_the_interval_covers_the_truth_though_the_pairs_of_a_prompt_go_together() -> None:
    """Of every prompt all six pairs are right (7 times in 10) or all wrong: 40 prompts, 400 times over.

    The variance of the accuracy is that of 40 draws. Pairs taken for independent give intervals narrower by sqrt(6),
    which cover in 58 % of cases.
    """
    rng = random.Random(0)
    four = {True: [(4.0, 1), (3.0, 2), (2.0, 3), (1.0, 4)], False: [(1.0, 1), (2.0, 2), (3.0, 3), (4.0, 4)]}
    covered = 0
    for trial in range(400):
        judgements = [Judgement(prompt, four[rng.random() < 0.7], {}) for prompt in range(40)]
        low, high = accuracy_interval(judgements, 200, seed=trial)
        covered += low <= 0.7 <= high
    assert 0.9 <= covered / 400 <= 0.98


def test_rankings_of_one_prompt_are_drawn_together() -> None:
    """Two prompts of two rankings each: the accuracy of a resample is 0, 1/2 or 1, and 0 and 1 have a quarter each."""
    judgements = [Judgement(prompt, ranking, {}) for prompt, ranking in (("a", RIGHT), ("b", WRONG)) for _ in range(2)]
    assert accuracy_interval(judgements, 1000, seed=0) == (0.0, 1.0)
    assert accuracy_interval(judgements[:2], 1000, seed=0) == (1.0, 1.0)


def test_an_interval_needs_a_pair_that_is_not_tied() -> None:
    with pytest.raises(ValueError, match="not tied"):
        accuracy_interval([Judgement("a", [(0.1, 1), (0.2, 1)], {})], 10, seed=0)


def test_each_group_has_its_own_accuracy_and_loss() -> None:
    judgements = [
        Judgement("a", RIGHT, {"use_case": "chat", "k": 3}),
        Judgement("a", WRONG, {"use_case": "chat", "k": 3}),
        Judgement("b", [(0.3, 1), (-0.2, 2)], {"use_case": "open_qa", "k": 2}),
        Judgement("c", [(0.3, 1), (-0.2, 1)], {"use_case": "extract", "k": 2}),  # a tie: no pair, no row
    ]
    table = {(row["group"], row["value"]): row for row in by_group(judgements, 200, seed=0)}
    assert list(table) == [("all", ""), ("k", 2), ("k", 3), ("use_case", "chat"), ("use_case", "open_qa")]
    counts = ("prompts", "rankings", "comparisons")
    assert [table["all", ""][name] for name in counts] == [2, 3, 7]
    assert [table["use_case", "chat"][name] for name in counts] == [1, 2, 6]
    assert table["all", ""]["accuracy"] == pytest.approx(4 / 7)
    assert table["k", 3]["accuracy"] == 0.5
    assert table["use_case", "open_qa"]["accuracy"] == 1.0
    assert table["use_case", "open_qa"]["log_loss"] == pytest.approx(0.4740769842, abs=1e-9)
    assert (table["all", ""]["accuracy_low"], table["all", ""]["accuracy_high"]) == (0.5, 1.0)


def pair(probability: float, is_right: bool) -> Ranking:
    """Two completions, of which the model prefers one with this probability."""
    margin = math.log(probability / (1 - probability))
    return [(margin if is_right else 0.0, 1), (0.0 if is_right else margin, 2)]


def test_the_reliability_table_of_six_pairs() -> None:
    """Sure at .77: three of four right. Sure at .62: one of two."""
    rankings = [pair(0.77, right) for right in (True, True, True, False)] + [pair(0.62, True), pair(0.62, False)]
    lower, upper = reliability(rankings)
    assert lower == pytest.approx({"low": 0.6, "high": 0.65, "predicted": 0.62, "observed": 0.5, "count": 2})
    assert upper == pytest.approx({"low": 0.75, "high": 0.8, "predicted": 0.77, "observed": 0.75, "count": 4})
    assert expected_calibration_error([lower, upper]) == pytest.approx((2 * 0.12 + 4 * 0.02) / 6)


def test_certainty_and_indifference_have_their_bins() -> None:
    first, last = reliability([[(0.3, 1), (0.3, 2)], [(900.0, 1), (0.0, 2)]])
    assert (first["low"], first["predicted"], first["observed"]) == (0.5, 0.5, 0.5)
    assert (last["high"], last["predicted"], last["observed"]) == (1.0, 1.0, 1.0)
    assert math.isnan(expected_calibration_error(reliability([[(0.1, 1), (0.2, 1)]])))


def test_labels_drawn_from_the_models_own_probabilities_are_calibrated_and_tripled_scores_are_not() -> None:
    rng = random.Random(0)
    calibrated, overconfident = [], []
    for _ in range(20_000):
        margin = rng.gauss(0, 2)
        ranks = (1, 2) if rng.random() < 1 / (1 + math.exp(-margin)) else (2, 1)
        calibrated.append([(margin, ranks[0]), (0.0, ranks[1])])
        overconfident.append([(3 * margin, ranks[0]), (0.0, ranks[1])])
    assert expected_calibration_error(reliability(calibrated)) < 0.015
    table = reliability(overconfident)
    assert all(row["predicted"] > row["observed"] for row in table[1:])
    assert expected_calibration_error(table) > 0.1
