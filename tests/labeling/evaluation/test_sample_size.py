"""Sizes by hand, and components from simulated judgements whose components are known."""

import math

import numpy as np
import pytest

from labeling.evaluation import sample_size
from labeling.evaluation.sample_size import ASSUMED, Components


def test_components_come_back_from_data_that_has_them() -> None:
    rng = np.random.default_rng(2)
    prompts, labelers = 400, 120
    table = (
        rng.normal(0, 0.3, (prompts, 1)) + rng.normal(0, 0.2, (1, labelers)) + rng.normal(0, 0.4, (prompts, labelers))
    )
    shown = rng.random((prompts, labelers)) < 0.1  # each labeler judges a tenth
    prompt, labeler = np.nonzero(shown)
    found = sample_size.components(table[shown], prompt, labeler)
    assert found is not None
    assert found[:3] == pytest.approx((0.09, 0.04, 0.16), rel=0.2)


def test_with_one_judge_a_prompt_nothing_tells_prompt_and_rest_apart() -> None:
    assert sample_size.components(np.ones(6), np.arange(6), np.arange(6) % 2) is None


def test_the_standard_error_is_the_formula() -> None:
    """.05/100 + .01/10 + .2/200 = .0025: ± .05."""
    error, _ = sample_size.standard_error(Components(0.05, 0.01, 0.2), prompts=100, judges=2, labelers=10)
    assert error == pytest.approx(0.05)


def test_without_effects_it_is_the_textbook_number() -> None:
    """± 5 points of a fair coin: (1.96 / .05)² / 4 = 384 throws; Student's t adds a few."""
    found = sample_size.prompts_for(Components(0, 0, 0.25), 0.05, judges=1, labelers=500)
    assert found == pytest.approx(384, abs=12)


def test_power_is_the_textbook_number() -> None:
    """(1.96 + 0.8416)² · ¼ / .05² = 785."""
    found = sample_size.prompts_for(Components(0, 0, 0.25), 0.05, judges=1, labelers=500, power=True)
    assert found == pytest.approx(785, abs=20)


def test_few_labelers_set_a_floor_that_prompts_do_not_lower() -> None:
    """.02 / 4: the standard error stays above .07, so ± 5 points cannot be had."""
    assert sample_size.prompts_for(Components(0.05, 0.02, 0.2), 0.05, judges=1, labelers=4) is None


def test_more_judges_need_fewer_prompts_and_more_labels() -> None:
    found = sample_size.alternatives(ASSUMED, 0.1, labelers=20, minutes=3)
    assert [one.judges for one in found] == [1, 2, 3, 5]
    prompts, labels = [one.prompts for one in found], [one.labels for one in found]
    assert prompts == sorted(prompts, reverse=True)
    assert labels == sorted(labels)
    assert found[0].hours == pytest.approx(found[0].labels * 3 / 60)
    assert all(one.half_width <= 0.1 for one in found)


def test_several_judgements_are_pooled_by_their_size() -> None:
    pooled = sample_size.pooled([Components(0.1, 0, 0.2, 100), Components(0.2, 0.04, 0.1, 300)])
    assert pooled == (pytest.approx(0.175), pytest.approx(0.03), pytest.approx(0.125), 400)
    assert sample_size.pooled([]) == ASSUMED
    assert math.fsum(ASSUMED[:3]) == pytest.approx(0.25)
