"""Recipes that train adapters: what comes out opens as without them, and only what should has changed."""

import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import PPO, REWARD_MODEL, SFT
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, rankings, state_of, weights
from training.contract.status import read_status
from training.recipes import sft

LORA = {"lora_rank": 4, "lora_alpha": 8}
MATRICES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def tuned(world: World, held_out: list[dict[str, Any]] | None = None, **changes: Any) -> Path:
    people = {"demonstrations": world.dataset("people", "demonstrations", demonstrations(48))}
    if held_out:
        people["valid_demonstrations"] = world.dataset("held_out", "demonstrations", held_out)
    spec = SFT | LORA | {"lr": 1e-2} | changes
    return world.run("run", "sft", spec, people, {"policy": "base"})


def judge(world: World, **changes: Any) -> Path:
    inputs = {
        "rankings": world.dataset("ranked", "rankings", rankings(96)),
        "valid_rankings": world.dataset("held_out", "rankings", rankings(16, seed=9)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    spec = REWARD_MODEL | LORA | {"lr": 1e-2, "save_every": 5} | changes
    return world.run("run", "reward_model", spec, inputs, {"policy": "sft"})


def change_of(folder: Path, parent: Path) -> dict[str, float]:
    """By the last part of the layer's name, how much of its weights has changed at most."""
    before, after = weights(parent), weights(folder)
    found: dict[str, float] = {}
    for name in before.keys() & after.keys():
        layer = name.split(".")[-2]
        found[layer] = max(found.get(layer, 0.0), (after[name] - before[name]).abs().max().item())
    return found


def logits_of(model: Any, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=torch.tensor([ids])).logits


def test_fine_tuning_learns_in_its_adapters_alone(world: World) -> None:
    """Embedding and norms are the parent's to the last bit; the checkpoint is the parent with the adapter on it."""
    folder = tuned(world)
    finish("sft", folder)
    losses = [row["loss/train"] for row in curves(folder)]
    assert losses[-1] < losses[0] - 0.3
    parent = world.root / "runs" / "base"
    changes = change_of(folder, parent)
    assert {layer for layer, change in changes.items() if change > 0} == set(MATRICES)
    assert len(changes) > len(MATRICES)
    base = AutoModelForCausalLM.from_pretrained(parent / "checkpoint")
    adapted = PeftModel.from_pretrained(base, folder / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(folder / "checkpoint")
    assert adapted.peft_config["default"].base_model_name_or_path == "runs/base/checkpoint"
    ids = [2, 9, 30, 41]
    torch.testing.assert_close(logits_of(merged, ids), logits_of(adapted, ids), atol=1e-4, rtol=0)


def test_the_head_of_a_reward_model_is_trained_and_saved(world: World) -> None:
    """In the checkpoint, which transformers reads, and with the adapter, which peft reads: neither has a new head."""
    folder = judge(world)
    result = finish("reward_model", folder)
    assert result["valid_accuracy"] > 0.7
    texts = [(row["prompt"], row["completion"]) for row in demonstrations(8)]
    texts += [(row["prompt"], text) for row in rankings(4) for text in row["completions"]]
    rows = [[*before, *after] for before, after in (by_hand.ids_of(folder / "checkpoint", *pair) for pair in texts)]
    rewards = by_hand.rewards(folder / "checkpoint", rows)
    assert statistics.fmean(rewards[:8]) == pytest.approx(0, abs=1e-4)
    assert statistics.pstdev(rewards) > 0.5
    base = AutoModelForSequenceClassification.from_pretrained(world.root / "runs" / "sft" / "checkpoint", num_labels=1)
    adapted = PeftModel.from_pretrained(base, folder / "adapter")
    for ids, reward in zip(rows, rewards, strict=True):
        assert logits_of(adapted, ids).item() - result["reward_bias"] == pytest.approx(reward, abs=1e-4)
    assert change_of(folder, world.root / "runs" / "sft").keys() >= set(MATRICES)


def test_the_state_holds_adapters_and_head_alone(world: World) -> None:
    folder = judge(world)
    finish("reward_model", folder)
    model = state_of(folder)["parts"]["model"]
    adapter = load_file(folder / "adapter" / "adapter_model.safetensors")
    assert len(model) == len(adapter) == 2 * 2 * len(MATRICES) + 1
    assert sum(weight.numel() for weight in model.values()) == sum(weight.numel() for weight in adapter.values())


def test_the_best_epoch_is_chosen_among_adapters_too(world: World) -> None:
    """Losses rise from the first epoch on: the checkpoint has the first one's."""
    unlikely = [row | {"completion": "I like the frog."} for row in demonstrations(8)]
    folder = tuned(world, unlikely, lr=2e-2)
    result = finish("sft", folder)
    losses = [row["val/loss"] for row in curves(folder) if "val/loss" in row]
    assert losses.index(min(losses)) + 1 == result["chosen_epoch"] < 4
    assert by_hand.completion_loss(folder / "checkpoint", unlikely) == pytest.approx(min(losses), abs=1e-4)


def test_ppo_learns_in_adapters_of_policy_and_value_model(world: World) -> None:
    """It starts where its parent is, moves away, and what was not adapted stays; the value model's head learns."""
    asked = {"prompts": world.dataset("asked", "prompts", prompts(24))}
    spec = PPO | LORA | {"lr": 1e-2, "value_lr": 1e-2, "total_episodes": 32 * 8, "kl_coef": 0.02, "save_every": 4}
    folder = world.run("run", "ppo", spec, asked, {"policy": "sft", "reward_model": "rm"})
    finish("ppo", folder)
    rows = curves(folder)
    assert rows[0]["objective/kl"] == 0 and rows[0]["val/ratio"] == pytest.approx(1, abs=1e-2)
    assert rows[-1]["objective/kl"] > 0.1
    assert rows[-1]["objective/scores"] > rows[0]["objective/scores"]
    changes = change_of(folder, world.root / "runs" / "sft")
    assert {layer for layer, change in changes.items() if change > 0} == set(MATRICES)
    parts = state_of(folder)["parts"]
    assert len(parts["policy"]) == len(parts["ema"]) == 2 * 2 * len(MATRICES)
    head = next(weight for name, weight in parts["value"].items() if name.endswith("score/weight"))
    assert not torch.equal(head, weights(world.root / "runs" / "rm")["score.weight"])


def test_the_checkpoint_of_ppo_is_its_parent_with_the_averaged_adapter(world: World) -> None:
    asked = {"prompts": world.dataset("asked", "prompts", prompts(24))}
    folder = world.run("run", "ppo", PPO | LORA | {"lr": 1e-2}, asked, {"policy": "sft", "reward_model": "rm"})
    finish("ppo", folder)
    base = AutoModelForCausalLM.from_pretrained(world.root / "runs" / "sft" / "checkpoint")
    adapted = PeftModel.from_pretrained(base, folder / "adapter")
    merged = AutoModelForCausalLM.from_pretrained(folder / "checkpoint")
    ids = [2, 9, 30, 41]
    torch.testing.assert_close(logits_of(merged, ids), logits_of(adapted, ids), atol=1e-4, rtol=0)


def test_a_layer_that_is_not_there_is_one_sentence(world: World) -> None:
    folder = tuned(world, lora_target_modules="q_proj,query")
    assert sft.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None
    assert status["error"] == (
        "lora_target_modules names 'query', and the linear layers of llama models are "
        "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj."
    )
