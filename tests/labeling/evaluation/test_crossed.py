"""Intervals over prompts and labelers, held against analysis of variance and against what must hold exactly."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from labeling.evaluation import crossed
from labeling.evaluation.crossed import NOBODY


def grid(prompts: int, labelers: int) -> tuple[Any, Any]:
    """Every labeler judges every prompt."""
    return np.repeat(np.arange(prompts), labelers), np.tile(np.arange(labelers), prompts)


def test_labelers_with_prompts_of_their_own_are_one_way_analysis_of_variance() -> None:
    """Five labelers, eight prompts each: the variance is the mean square between labelers over N, with 4 degrees of
    freedom, from scipy's F test (F = between / within)."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 40) + np.repeat(rng.normal(0, 1, 5), 8)
    labeler = np.repeat(np.arange(5), 8)
    groups = values.reshape(5, 8)
    between = stats.f_oneway(*groups).statistic * groups.var(axis=1, ddof=1).mean()
    found = crossed.mean(values, np.arange(40), labeler, share=False)
    assert found.se is not None
    assert found.df is not None
    assert found.low is not None
    assert found.se == pytest.approx(math.sqrt(between / 40))
    assert found.df == pytest.approx(4, rel=0.2)
    assert found.value - found.low == pytest.approx(stats.t.ppf(0.975, found.df) * found.se)


def test_all_judging_all_is_two_way_analysis_of_variance() -> None:
    """V = (MS of prompts + MS of labelers - MS of the rest) / N, worked out by sums of squares."""
    rng = np.random.default_rng(4)
    prompts, labelers = 30, 6
    table = rng.normal(0, 1, (prompts, 1)) + rng.normal(0, 0.7, (1, labelers)) + rng.normal(0, 1, (prompts, labelers))
    by_prompt = labelers * table.mean(axis=1).var(ddof=1)
    by_labeler = prompts * table.mean(axis=0).var(ddof=1)
    total = ((table - table.mean()) ** 2).sum() / (prompts * labelers - 1)
    found = crossed.mean(table.ravel(), *grid(prompts, labelers), share=False)
    assert found.se == pytest.approx(math.sqrt((by_prompt + by_labeler - total) / (prompts * labelers)))


def test_without_labeler_effects_and_with_many_labelers_it_is_the_normal_interval() -> None:
    """2,000 coin throws by 500 labelers: ± 1.96 √(p (1 - p) / N), give or take the noise of a variance."""
    rng = np.random.default_rng(5)
    values = (rng.random(2000) < 0.6).astype(float)
    found = crossed.mean(values, np.arange(2000), np.arange(2000) % 500)
    assert found.low is not None
    assert found.value - found.low == pytest.approx(1.96 * math.sqrt(0.24 / 2000), rel=0.12)


def test_judges_who_always_agree_on_a_prompt_know_no_more_than_one() -> None:
    rng = np.random.default_rng(6)
    one = (rng.random(100) < 0.6).astype(float)
    prompt, labeler = grid(100, 10)
    ten = crossed.mean(np.repeat(one, 10), prompt, labeler)
    alone = math.sqrt(one.var(ddof=1) / 100)
    assert ten.se == pytest.approx(alone, rel=0.06)


def test_a_labeler_who_differs_widens_the_interval() -> None:
    """Same wins in both; in the one they are spread over labelers, in the other a labeler always says the same."""
    spread = np.tile([1.0, 0.0], 60)
    split = np.repeat([1.0, 0.0], 60)
    labeler = np.repeat(np.arange(4), 30)
    narrow, wide = (crossed.mean(values, np.arange(120), labeler) for values in (spread, split))
    assert narrow.value == wide.value == 0.5
    assert narrow.se is not None
    assert wide.se is not None
    assert wide.se > 3 * narrow.se


def test_a_share_stays_between_0_and_1() -> None:
    values = np.array([1.0] * 29 + [0.0])
    found = crossed.mean(values, np.arange(30), np.arange(30) % 3)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.value < found.high < 1


def test_winning_always_has_a_bound_below() -> None:
    """Clopper & Pearson for 20 of 20: 0.025 ^ (1/20) = 0.8316."""
    found = crossed.mean(np.ones(20), np.arange(20), np.arange(20) % 4)
    assert (found.low, found.high) == (pytest.approx(0.83157, abs=1e-4), 1.0)
    assert found.why == crossed.ALL_ALIKE


def test_the_other_way_round_is_the_mirror() -> None:
    rng = np.random.default_rng(7)
    values = (rng.random(90) < 0.7).astype(float)
    prompt, labeler = np.arange(90) // 3, np.arange(90) % 5
    found, mirrored = crossed.mean(values, prompt, labeler), crossed.mean(1 - values, prompt, labeler)
    assert found.low is not None
    assert mirrored.high == pytest.approx(1 - found.low)


@pytest.mark.parametrize(
    ("prompts", "labelers", "why"), [(4, 4, crossed.FEW_PROMPTS), (30, 1, crossed.FEW_LABELERS)], ids=["prompts", "one"]
)
def test_too_few_have_no_interval_and_a_reason(prompts: int, labelers: int, why: str) -> None:
    found = crossed.mean(np.arange(prompts) % 2 * 1.0, np.arange(prompts), np.arange(prompts) % labelers)
    assert (found.value, found.low, found.why) == (0.5, None, why)


def test_prompts_that_nobody_was_asked_about_count_as_prompts_alone() -> None:
    values = np.array([1.0, 0.0] * 20 + [0.5] * 10)
    labeler = np.concatenate([np.arange(40) % 4, np.full(10, NOBODY)])
    found = crossed.mean(values, np.arange(50), labeler)
    assert (found.prompts, found.labelers, found.labels) == (50, 4, 40)


def test_weights_count_a_value_several_times() -> None:
    found = crossed.mean(np.array([1.0, 0.0, 0.5]), np.arange(3), np.arange(3), weights=np.array([1.0, 1.0, 2.0]))
    assert found.value == pytest.approx((1 + 0 + 2 * 0.5) / 4)


def test_degrees_of_freedom_of_uneven_loads_follow_from_the_quadratic_form() -> None:
    """tr(A)² / tr(A²) with A = M' diag(size²) M, by plain matrices."""
    size = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    centered = np.eye(5) - np.outer(np.ones(5), size)
    form = centered.T @ np.diag(size**2) @ centered
    short, df = crossed._shortfall(size)
    assert short == pytest.approx(np.trace(form) / (size**2).sum())
    assert df == pytest.approx(np.trace(form) ** 2 / np.trace(form @ form))


def test_nothing_cannot_be_estimated() -> None:
    nothing = np.array([], dtype=int)
    with pytest.raises(ValueError, match="nothing"):
        crossed.mean(np.array([]), nothing, nothing)
