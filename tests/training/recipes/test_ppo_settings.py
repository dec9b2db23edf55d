"""Settings of PPO that have to reach every place they are meant for."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.training.recipes.conftest import PPO
from tests.training.recipes.world import World, curves, finish, prompts

ONE_STEP = PPO | {"total_episodes": 32, "minibatch_size": 32, "threads": 1}


def first_row(world: World, changes: Mapping[str, Any], name: str = "run") -> dict[str, float]:
    asked = {"prompts": world.dataset("asked", "prompts", prompts(24))}
    folder = world.run(name, "ppo", ONE_STEP | changes, asked, {"policy": "sft", "reward_model": "rm"})
    finish("ppo", folder)
    return curves(folder)[0]


def test_the_temperature_is_that_of_policy_reference_and_update(world: World) -> None:
    """Left out at the reference there would be a KL at once, left out in the update the ratio would not be 1; and the
    policy that samples is a sharper one."""
    row = first_row(world, {"temperature": 0.5})
    assert row["objective/kl"] == 0
    assert (row["policy/approxkl_avg"], row["policy/clipfrac_avg"]) == (0, 0)
    assert row["val/ratio"] == pytest.approx(1, abs=1e-6)
    assert row["objective/entropy"] < 0.8 * first_row(world, {"temperature": 1.0}, "warm")["objective/entropy"]


def test_the_first_ratio_is_of_the_first_minibatch_alone(world: World) -> None:
    """The mean of an iteration's ratios moves with its steps; before the first of them the ratio is 1."""
    row = first_row(world, {"minibatch_size": 4, "lr": 1e-2})
    assert row["policy/approxkl_avg"] > 0
    assert row["policy/first_ratio_error"] == 0


def test_vf_coef_scales_the_gradient_of_the_value_model_and_of_nothing_else(world: World) -> None:
    one, three = first_row(world, {"vf_coef": 0.1}, "one"), first_row(world, {"vf_coef": 0.3}, "three")
    assert three["value/grad_norm"] == pytest.approx(3 * one["value/grad_norm"], rel=1e-5)
    for name in ("loss/value_avg", "policy/grad_norm", "loss/policy_avg"):
        assert three[name] == one[name]


def test_logprobs_of_the_sampler_are_those_of_the_trainer_up_to_rounding(world: World) -> None:
    """The step is the same one; at temperature .7, which both have to know of."""
    exact = first_row(world, {"temperature": 0.7}, "exact")
    captured = first_row(world, {"temperature": 0.7, "old_logprobs": "sampler"}, "captured")
    assert exact["policy/approxkl_avg"] == exact["policy/first_ratio_error"] == 0
    assert 0 < captured["policy/first_ratio_error"] < 1e-4
    assert 0 < captured["policy/approxkl_avg"] < 1e-9
    assert captured["policy/clipfrac_avg"] == 0
    for name in ("policy/grad_norm", "objective/entropy", "objective/rlhf_reward"):
        assert captured[name] == pytest.approx(exact[name], rel=1e-3)
