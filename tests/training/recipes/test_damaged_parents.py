"""A checkpoint that was damaged after it was made: every recipe says which file it is before it begins."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from tests.training.recipes.conftest import PPO, REWARD_MODEL, SFT
from tests.training.recipes.world import World, demonstrations, prompts, rankings
from training.contract.status import read_status

BOTH = {"policy": "sft", "reward_model": "rm"}
RECIPES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "sft": (SFT | {"response_length": 8}, {"policy": "base", "reward_model": "rm"}),
    "sample": ({"response_length": 8}, {"policy": "sft"}),
    "best_of_n": ({"response_length": 8}, BOTH),
    "reward_model": (REWARD_MODEL, {"policy": "sft"}),
    "labeler_cv": ({"folds": 3}, {"policy": "sft"}),
    "ppo": (PPO, BOTH),
    "evaluate": ({"response_length": 8}, BOTH | {"reference": "base"}),
    "score": ({}, {"reward_model": "rm"}),
}
COMPLETION = {"sample": 0, "completion": "Red.", "finished": True, "token_ids": [], "logprobs": []}


def fail(world: World, recipe: str, run_id: str = "run") -> str:
    """Why the recipe did not begin."""
    asked = prompts(8)
    inputs = {
        "prompts": world.dataset("asked", "prompts", asked),
        "valid_prompts": world.dataset("asked", "prompts", asked),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
        "rankings": world.dataset("ranked", "rankings", rankings(24)),
        "completions": world.dataset("answers", "completions", [row | COMPLETION for row in asked]),
    }
    spec, parents = RECIPES[recipe]
    folder = world.run(run_id, recipe, spec, inputs, parents)
    code = importlib.import_module(f"training.recipes.{recipe}").main(["--run-dir", str(folder)])
    status = read_status(folder / "status.json")
    assert status is not None and (code, status["state"], status["step"]) == (1, "failed", 0)
    assert not (folder / "metrics.jsonl").exists() or not (folder / "metrics.jsonl").read_text()
    assert not (folder / "checkpoint").exists()
    return str(status["error"])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(("recipe", "parent"), [(recipe, name) for recipe in RECIPES for name in RECIPES[recipe][1]])
def test_weights_that_were_cut_off_are_named(world: World, recipe: str, parent: str) -> None:
    path = f"runs/{RECIPES[recipe][1][parent]}/checkpoint/model.safetensors"
    cut(world.root / path)
    error = fail(world, recipe)
    assert f"is damaged: {path} has " in error and error.startswith("The parent '")


def without(name: str) -> Callable[[Path], None]:
    return lambda checkpoint: (checkpoint / name).unlink()


def with_less(checkpoint: Path) -> None:
    """A whole file, that lacks three of the model's matrices."""
    weights = load_file(checkpoint / "model.safetensors")
    lost = ("layers.1.mlp.up_proj", "q_proj")
    kept = {name: weight for name, weight in weights.items() if not any(part in name for part in lost)}
    save_file(kept, checkpoint / "model.safetensors", metadata={"format": "pt"})


def of_another_size(checkpoint: Path) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | {"intermediate_size": 48}))


def of_no_kind(checkpoint: Path) -> None:
    (checkpoint / "config.json").write_text(json.dumps({"model_type": "abacus"}))


def with_another_tokenizer(checkpoint: Path) -> None:
    (checkpoint / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": {"type": "abacus"}}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (without("config.json"), "The parent 'policy' is missing: there is no checkpoint in runs/sft/checkpoint."),
        (without("model.safetensors"), "damaged: runs/sft/checkpoint/model.safetensors is missing."),
        (without("tokenizer.json"), "damaged: runs/sft/checkpoint/tokenizer.json is missing."),
        (with_less, "runs/sft/checkpoint lacks the weights model.layers.0.self_attn.q_proj.weight and 2 more."),
        (of_another_size, "has in another shape than its config says the weights model.layers.0.mlp.down_proj.weight"),
        (of_no_kind, "The checkpoint in {root}/runs/sft/checkpoint cannot be opened: "),
        (with_another_tokenizer, "The tokenizer in {root}/runs/sft/checkpoint cannot be opened: "),
    ],
)
@pytest.mark.parametrize("recipe", ["sample", "reward_model"])  # either kind of model
def test_what_is_wrong_with_a_checkpoint_is_one_sentence(
    world: World, recipe: str, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(world.root / "runs" / "sft" / "checkpoint")
    error = fail(world, recipe)
    assert sentence.format(root=world.root) in error
    assert "\n" not in error and error.endswith(".")


def test_the_head_of_a_reward_model_is_not_drawn_anew(world: World) -> None:
    path = world.root / "runs" / "rm" / "checkpoint" / "model.safetensors"
    weights = load_file(path)
    del weights["score.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    assert "runs/rm/checkpoint lacks the weights score.weight." in fail(world, "score")
