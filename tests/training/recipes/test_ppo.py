"""What a whole PPO run promises, seen from its curves, its checkpoint and its saved state."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.recipes.conftest import PPO
from tests.training.recipes.world import World, curves, finish, prompts, state_of, texts, weights

TWO = PPO | {"total_episodes": 64, "threads": 1}  # two iterations
ONE_STEP = {"minibatch_size": 32}  # one optimizer step in each
STILL = {"lr": 1e-30, "value_lr": 1e-30, "ema_decay": 0.0}  # rates that round to no step at all
STOPPED_AT_ONCE = {"target_kl_stop": -1.0, "save_every": 1}  # after one iteration, whose state is saved


def lay_out(world: World, spec: Mapping[str, Any], name: str = "run", seed: int = 1) -> Path:
    inputs = {
        "prompts": world.dataset("asked", "prompts", prompts(24)),
        "texts": world.dataset("corpus", "texts", texts(100)),
    }
    return world.run(name, "ppo", spec, inputs, {"policy": "sft", "reward_model": "rm"}, seed)


def run(world: World, spec: Mapping[str, Any], name: str = "run", seed: int = 1) -> Path:
    folder = lay_out(world, spec, name, seed)
    finish("ppo", folder)
    return folder


def parent(world: World, name: str) -> dict[str, torch.Tensor]:
    return weights(world.root / "runs" / name)


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def value_weights(folder: Path) -> dict[str, torch.Tensor]:
    parts = state_of(folder)["parts"]["value"]
    return {name.removeprefix("classifier."): tensor for name, tensor in parts.items()}


def test_every_iteration_begins_on_policy(world: World) -> None:
    """With one step an iteration: no divergence, nothing clipped, ratio 1, and a loss of 0 by whitened advantages."""
    for row in curves(run(world, PPO | ONE_STEP)):
        assert (row["policy/approxkl_avg"], row["policy/clipfrac_avg"]) == (0, 0)
        assert row["val/ratio"] == pytest.approx(1, abs=1e-6)
        assert abs(row["loss/policy_avg"]) < 1e-6


def test_several_samples_of_a_prompt_are_as_many_episodes(world: World) -> None:
    """On policy all the same; the episodes of a prompt stand together in the samples, and differ."""
    folder = run(world, PPO | ONE_STEP | {"samples_per_prompt": 4, "samples_every": 1})
    for row in curves(folder):
        assert (row["policy/approxkl_avg"], row["policy/clipfrac_avg"]) == (0, 0)
        assert abs(row["loss/policy_avg"]) < 1e-6
    shown = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()][:8]
    assert len({row["prompt_id"] for row in shown[:4]}) == len({row["prompt_id"] for row in shown[4:]}) == 1
    assert shown[0]["prompt_id"] != shown[4]["prompt_id"]
    assert len({row["completion"] for row in shown[:4]}) > 1


def test_the_kl_begins_at_0_and_the_policy_leaves_its_reference(world: World) -> None:
    first, second = curves(run(world, TWO))
    assert first["objective/kl"] == 0
    assert first["objective/non_score_reward"] == 0
    assert second["objective/kl"] != 0
    assert second["objective/non_score_reward"] == pytest.approx(-PPO["kl_coef"] * second["objective/kl"], rel=1e-5)


def test_a_run_that_cannot_move_gives_back_its_parents(world: World) -> None:
    """The policy is the fine-tuned model and the value model is the reward model, trunk and head, bit for bit; over
    several epochs on one rollout nothing is clipped and nothing diverges."""
    folder = run(world, TWO | STILL | {"num_ppo_epochs": 3, "save_every": 1})
    assert same(weights(folder), parent(world, "sft"))
    assert same(value_weights(folder), parent(world, "rm"))
    for row in curves(folder):
        assert row["objective/kl"] == 0
        assert row["policy/clipfrac_avg"] == row["val/clipfrac_avg"] == 0
        assert row["policy/approxkl_avg"] < 1e-10


def test_the_value_model_learns_at_its_own_rate_and_leaves_the_policy_alone(world: World) -> None:
    """Value-only iterations change the value model and not one weight of the policy."""
    folder = run(world, TWO | {"value_pretrain_iterations": 2, "save_every": 1})
    assert same(weights(folder), parent(world, "sft"))
    assert not same(value_weights(folder), parent(world, "rm"))


@pytest.mark.parametrize(("iteration", "factor"), [(1, 0.1), (2, 0.55), (3, 1.0)])
def test_both_rates_rise_from_a_tenth(world: World, iteration: int, factor: float) -> None:
    """Each model has its own; the saved optimizers hold those of the last step. Two iterations of warm-up."""
    folder = run(world, PPO | {"total_episodes": (iteration + 1) * 32, "save_every": iteration})
    parts = state_of(folder)["parts"]
    for optimizer, peak in (("policy_optimizer", 1e-3), ("value_optimizer", 2e-3)):
        rates = [group["lr"] for group in parts[optimizer]["param_groups"]]
        assert rates == pytest.approx([peak * factor] * len(rates))
    assert curves(folder)[iteration - 1]["lr"] == pytest.approx(1e-3 * factor)


def test_the_checkpoint_holds_the_averaged_weights(world: World) -> None:
    """After one step: 0.9 of the start and 0.1 of the live weights; the same average is in the state."""
    folder = run(world, TWO | ONE_STEP | STOPPED_AT_ONCE)
    parts, start = state_of(folder)["parts"], parent(world, "sft")
    assert same(weights(folder), {name: parts["ema"][name] for name in weights(folder)})
    for name, average in weights(folder).items():
        torch.testing.assert_close(average, 0.9 * start[name] + 0.1 * parts["policy"][name], atol=1e-7, rtol=1e-6)
    assert not same(weights(folder), {name: parts["policy"][name] for name in weights(folder)})


def test_without_an_average_the_checkpoint_holds_the_live_weights(world: World) -> None:
    folder = run(world, TWO | STOPPED_AT_ONCE | {"ema_decay": 0.0})
    live = state_of(folder)["parts"]["policy"]
    assert same(weights(folder), {name: live[name] for name in weights(folder)})
    assert not same(weights(folder), parent(world, "sft"))


@pytest.mark.parametrize("penalty", [2.0, None])
def test_a_completion_that_does_not_end_pays(world: World, penalty: float | None) -> None:
    """What the policy earns is the score, less the KL, less the penalty for the share that did not end."""
    for row in curves(run(world, TWO | {"response_length": 4, "missing_eos_penalty": penalty})):
        unfinished = 1 - row["val/num_eos_tokens"] / 32
        assert unfinished > 0.2
        expected = row["objective/scores"] + row["objective/non_score_reward"] - (penalty or 0.0) * unfinished
        assert row["objective/rlhf_reward"] == pytest.approx(expected, abs=1e-5)


def test_the_seed_decides_the_trajectory(world: World) -> None:
    first, again, other = (run(world, TWO, name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert curves(first) == curves(again)
    assert same(weights(first), weights(again))
    assert (first / "samples.jsonl").read_text() == (again / "samples.jsonl").read_text()
    assert curves(first)[0]["objective/scores"] != curves(other)[0]["objective/scores"]


def test_texts_do_not_matter_without_ptx(world: World) -> None:
    """ptx_coef 0 is PPO bit for bit; more than 0 is another run, whose loss on text is reported."""
    plain = run(world, TWO, "plain")
    mixed = run(world, TWO | {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.25}, "mixed")
    asked = {"prompts": world.dataset("asked", "prompts", prompts(24))}
    bare = world.run("bare", "ppo", TWO, asked, {"policy": "sft", "reward_model": "rm"})
    finish("ppo", bare)
    assert same(weights(plain), weights(bare)) and curves(plain) == curves(bare)
    assert not same(weights(plain), weights(mixed))
    assert "loss/ptx_avg" in curves(mixed)[0] and "loss/ptx_avg" not in curves(plain)[0]


def test_a_kl_budget_ends_the_run_and_a_restart_does_not_spend_more(world: World) -> None:
    """Killed after the last save and before the checkpoint was published, the run is at its end all the same."""
    folder = run(world, PPO | STOPPED_AT_ONCE | {"samples_every": 1})
    whole = weights(folder)
    result = json.loads((folder / "status.json").read_text())["result"]
    assert [row["step"] for row in curves(folder)] == [1]
    shutil.rmtree(folder / "checkpoint")
    assert finish("ppo", folder) == result
    assert [row["step"] for row in curves(folder)] == [1]
    assert same(weights(folder), whole)
