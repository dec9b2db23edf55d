"""Two processes compute what one does, with whole models in each (DDP) and with sharded ones (FSDP). Real processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.training.recipes.conftest import PPO, PRETRAIN, REWARD_MODEL, SFT, copy_of
from tests.training.recipes.launched import run_in_turn, status_of
from tests.training.recipes.test_resume import assert_same
from tests.training.recipes.world import (
    World,
    curves,
    demonstrations,
    finish,
    prompts,
    rankings,
    state_of,
    texts,
    weights,
)

# Batches that two cannot share evenly, micro-batches of a few rows, no dropout.
TRAINING: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "pretrain": (PRETRAIN | {"steps": 12, "batch_size": 7, "eval_every": 6, "save_every": 5}, {}),
    "sft": (
        SFT
        | {"epochs": 2, "batch_size": 5, "micro_batch_tokens": 60, "residual_dropout": 0.0, "save_every": 4}
        | {"pretraining_mix": 0.4, "pretraining_block_size": 16, "response_length": 10, "decode_batch_size": 4},
        {"policy": "base", "reward_model": "rm"},
    ),
    "reward_model": (REWARD_MODEL | {"batch_size": 5, "micro_batch_tokens": 150, "save_every": 5}, {"policy": "sft"}),
    "ppo": (
        PPO
        | {"total_episodes": 64, "micro_batch_tokens": 90, "num_ppo_epochs": 2, "samples_per_prompt": 2}
        | {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.4, "ptx_block_size": 16, "save_every": 1}
        | {"kl_controller": "adaptive", "kl_horizon": 500},
        {"policy": "sft", "reward_model": "rm"},
    ),
}
# Trained in part, so that they are not sharded.
IN_PART: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "reward_model": (TRAINING["reward_model"][0] | {"heads": 3}, {"policy": "sft"}),
    "ppo": (TRAINING["ppo"][0] | {"lora_rank": 2}, {"policy": "sft", "reward_model": "rm"}),
}
MEASURING: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "sample": ({"response_length": 12, "batch_size": 8, "samples_per_prompt": 2}, {"policy": "sft"}),
    "best_of_n": ({"response_length": 12, "batch_size": 12, "n": 4}, {"policy": "sft", "reward_model": "rm"}),
    "labeler_cv": (
        REWARD_MODEL | {"folds": 2, "seeds": 1, "epochs": 1, "micro_batch_tokens": 200},
        {"policy": "sft"},
    ),
    "evaluate": (
        {"response_length": 12, "batch_size": 6, "max_blocks": 5, "block_size": 32, "micro_batch_tokens": 80},
        {"policy": "sft", "reference": "base", "reward_model": "rm"},
    ),
}


def lay_out(world: World, recipe: str, run_id: str) -> Path:
    spec, parents = IN_PART[recipe] if "part" in run_id else (TRAINING | MEASURING)[recipe]
    spec = {name: value for name, value in spec.items() if recipe != "labeler_cv" or name != "unit_std"}
    inputs = {
        "texts": world.dataset("corpus", "texts", texts(100)),
        "valid_texts": world.dataset("held_out", "texts", texts(40, seed=1)),
        "prompts": world.dataset("asked", "prompts", prompts(25)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(24)),
        "valid_demonstrations": world.dataset("held_out_people", "demonstrations", demonstrations(9)),
        "rankings": world.dataset("ranked", "rankings", rankings(25)),
        "valid_rankings": world.dataset("held_out_ranked", "rankings", rankings(9, seed=2)),
    }
    return world.run(run_id, recipe, spec | {"threads": 1}, inputs, parents)


@pytest.fixture(scope="module")
def folder_of(trained: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """The folder of a finished run of a recipe: by "one" process, "two", two with "fsdp", or "again" from there."""
    world = copy_of(trained, tmp_path_factory.mktemp("many"))
    two = {recipe: lay_out(world, recipe, f"{recipe}-two") for recipe in TRAINING | MEASURING}
    fsdp = {recipe: lay_out(world, recipe, f"{recipe}-fsdp") for recipe in TRAINING}
    again = {recipe: lay_out(world, recipe, f"{recipe}-again") for recipe in TRAINING}
    items = [*two.items(), *((f"fsdp/{recipe}", folder) for recipe, folder in fsdp.items())]
    for recipe, folder in again.items():
        items += [(f"fsdp/{recipe}", folder), (f"fsdp+again/{recipe}", folder)]
    part = {recipe: lay_out(world, recipe, f"{recipe}-part-two") for recipe in IN_PART}
    items += part.items()
    log = world.root / "log.txt"
    assert run_in_turn(items, log) == 0, log.read_text()[-3000:]
    found = {"two": two, "fsdp": fsdp, "again": again, "part": part, "one": {}, "part-one": {}}

    def folder(how: str, recipe: str) -> Path:
        if how in ("one", "part-one") and recipe not in found[how]:
            found[how][recipe] = lay_out(world, recipe, f"{recipe}-{how}")
            finish(recipe, found[how][recipe])
        return found[how][recipe]

    return folder


def assert_close(found: Any, expected: Any) -> None:
    if isinstance(expected, torch.Tensor):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=3e-5)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            assert_close(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
    else:
        assert found == expected


@pytest.mark.parametrize("how", ["two", "fsdp"])
@pytest.mark.parametrize("recipe", TRAINING)
def test_two_processes_train_what_one_does(folder_of: Callable[[str, str], Path], recipe: str, how: str) -> None:
    """Weights, every row of the curves, the result, and the saved state but for the random numbers. The first row,
    where nothing has been summed in another order before, is equal to six digits."""
    expected, found = folder_of("one", recipe), folder_of(how, recipe)
    assert_close(weights(found), weights(expected))
    assert_close(curves(found), curves(expected))
    assert curves(found)[0] == pytest.approx(curves(expected)[0], rel=2e-6, abs=2e-6)
    assert_close(status_of(found)["result"], status_of(expected)["result"])
    states = state_of(found), state_of(expected)
    assert_close(states[0]["parts"], states[1]["parts"])
    assert (len(states[0]["rng"]), len(states[1]["rng"])) == (2, 1)
    assert not torch.equal(states[0]["rng"][0]["cpu"], states[0]["rng"][1]["cpu"])
    assert sorted(path.name for path in found.iterdir()) == sorted(path.name for path in expected.iterdir())


@pytest.mark.parametrize("recipe", IN_PART)
def test_two_processes_train_a_part_as_one_does(folder_of: Callable[[str, str], Path], recipe: str) -> None:
    """The heads of an ensemble, and adapters."""
    expected, found = folder_of("part-one", recipe), folder_of("part", recipe)
    assert_close(weights(found), weights(expected))
    assert_close(curves(found), curves(expected))
    assert_close(state_of(found)["parts"], state_of(expected)["parts"])
    files = [
        sorted(str(path.relative_to(folder)) for path in folder.rglob("*.safetensors")) for folder in (found, expected)
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("recipe", TRAINING)
def test_sharded_training_goes_on_exactly(folder_of: Callable[[str, str], Path], recipe: str) -> None:
    """Resumed from its last state, a run that was done ends with the very same weights, curves and state."""
    undisturbed, again = folder_of("fsdp", recipe), folder_of("again", recipe)
    assert_same(load_file(again / "first" / "model.safetensors"), weights(undisturbed))
    assert_same(weights(again), weights(undisturbed))
    assert curves(again) == curves(undisturbed)
    assert_same(state_of(again), state_of(undisturbed))


@pytest.mark.parametrize("recipe", ["sample", "best_of_n"])
def test_two_processes_sample_the_rows_that_one_does(folder_of: Callable[[str, str], Path], recipe: str) -> None:
    expected, found = folder_of("one", recipe), folder_of("two", recipe)
    assert (found / "samples.jsonl").read_text() == (expected / "samples.jsonl").read_text()
    assert_same(status_of(found)["result"], status_of(expected)["result"])


@pytest.mark.parametrize("recipe", ["evaluate", "labeler_cv"])
def test_two_processes_measure_what_one_does(folder_of: Callable[[str, str], Path], recipe: str) -> None:
    expected, found = folder_of("one", recipe), folder_of("two", recipe)
    assert_close(status_of(found)["result"], status_of(expected)["result"])
    assert_close(curves(found), curves(expected))


def test_texts_sampled_during_ppo_are_written_once(folder_of: Callable[[str, str], Path]) -> None:
    expected = (folder_of("one", "ppo") / "samples.jsonl").read_text().splitlines()
    for how in ("two", "fsdp"):
        assert len((folder_of(how, "ppo") / "samples.jsonl").read_text().splitlines()) == len(expected)


def test_a_checkpoint_of_sharded_training_is_a_plain_folder(folder_of: Callable[[str, str], Path]) -> None:
    checkpoint = folder_of("fsdp", "sft") / "checkpoint"
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    assert type(model).__name__ == "LlamaForCausalLM" == model.config.architectures[0]
    assert len(AutoTokenizer.from_pretrained(checkpoint)) == model.config.vocab_size
