"""Kill -9 in the middle, resume, and end with the very weights of a run that was never disturbed. Real processes."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.recipes.conftest import PPO, PRETRAIN, REWARD_MODEL, SFT
from tests.training.recipes.world import World, demonstrations, prompts, rankings, texts
from training.contract.metrics import read_metrics
from training.contract.status import read_status

ROOT = Path(__file__).resolve().parents[3]

CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "ppo_ptx": (
        "ppo",
        PPO
        | {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.25, "ptx_block_size": 32, "num_ppo_epochs": 2}
        | {"kl_controller": "adaptive", "kl_horizon": 500, "total_episodes": 32 * 16},
        {"policy": "sft", "reward_model": "rm"},
    ),
    "sft": ("sft", SFT | {"epochs": 60, "pretraining_mix": 0.1}, {"policy": "base"}),
    "reward_model": ("reward_model", REWARD_MODEL | {"epochs": 15}, {"policy": "sft"}),
    "pretrain": ("pretrain", PRETRAIN | {"steps": 120}, {}),
}


def lay_out(world: World, name: str, run_id: str) -> tuple[str, Path]:
    recipe, spec, parents = CASES[name]
    inputs = {
        "texts": world.dataset("texts", "texts", texts(300)),
        "valid_texts": world.dataset("valid_texts", "texts", texts(40, seed=1)),
        "prompts": world.dataset("prompts", "prompts", prompts(24)),
        "demonstrations": world.dataset("demonstrations", "demonstrations", demonstrations(48)),
        "rankings": world.dataset("rankings", "rankings", rankings(48)),
    }
    return recipe, world.run(run_id, recipe, spec | {"threads": 1, "save_every": 3}, inputs, parents)


def finish(recipe: str, folder: Path) -> None:
    module = importlib.import_module(f"training.recipes.{recipe}")
    assert module.main(["--run-dir", str(folder)]) == 0, read_status(folder / "status.json")


def kill_after(recipe: str, folder: Path, rows: int) -> None:
    """Start the recipe as a process and kill it once it has written so many rows of metrics."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"training.recipes.{recipe}", "--run-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 120
    while len(read_metrics(folder / "metrics.jsonl")[0]) < rows:
        assert process.poll() is None, read_status(folder / "status.json")
        assert time.time() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def curves(folder: Path) -> list[Mapping[str, float]]:
    return [
        {name: value for name, value in row.items() if name != "time"}
        for row in read_metrics(folder / "metrics.jsonl")[0]
    ]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoint" / "model.safetensors")


def assert_same(first: Any, second: Any) -> None:
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list | tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


@pytest.mark.parametrize(
    ("name", "rows"), [("ppo_ptx", 5), ("ppo_ptx", 2), ("sft", 40), ("reward_model", 30), ("pretrain", 50)]
)
def test_a_run_killed_and_resumed_ends_as_if_undisturbed(world: World, name: str, rows: int) -> None:
    recipe, undisturbed = lay_out(world, name, "undisturbed")
    finish(recipe, undisturbed)
    recipe, killed = lay_out(world, name, "killed")
    kill_after(recipe, killed, rows)
    assert not (killed / "checkpoint").exists()
    at_death = read_status(killed / "status.json")
    assert at_death is not None and at_death["state"] == "running"
    finish(recipe, killed)

    assert_same(weights(undisturbed), weights(killed))
    assert curves(undisturbed) == curves(killed)
    # The last saved states agree in everything: weights, both optimizers, average, controller, random numbers, step.
    states = [torch.load(folder / "state" / "state.pt", weights_only=True) for folder in (undisturbed, killed)]
    assert_same(states[0], states[1])


def test_a_stopped_run_saves_and_goes_on_from_there(world: World) -> None:
    recipe, undisturbed = lay_out(world, "ppo_ptx", "undisturbed")
    finish(recipe, undisturbed)
    recipe, stopped = lay_out(world, "ppo_ptx", "stopped")
    process = subprocess.Popen(
        [sys.executable, "-m", "training.recipes.ppo", "--run-dir", str(stopped)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    while len(read_metrics(stopped / "metrics.jsonl")[0]) < 4:
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 75
    state = torch.load(stopped / "state" / "state.pt", weights_only=True)
    assert state["step"] == len(read_metrics(stopped / "metrics.jsonl")[0]) >= 4
    finish(recipe, stopped)
    assert_same(weights(undisturbed), weights(stopped))
    assert curves(undisturbed) == curves(stopped)


def test_sampling_killed_and_resumed_gives_the_same_rows(world: World) -> None:
    inputs = {"prompts": world.dataset("prompts", "prompts", prompts(600))}
    spec = {"response_length": 20, "batch_size": 8, "samples_per_prompt": 4, "threads": 1}
    undisturbed = world.run("undisturbed", "sample", spec, inputs, {"policy": "sft"})
    finish("sample", undisturbed)
    killed = world.run("killed", "sample", spec, inputs, {"policy": "sft"})
    process = subprocess.Popen(
        [sys.executable, "-m", "training.recipes.sample", "--run-dir", str(killed)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    samples = killed / "samples.jsonl"
    while not samples.exists() or samples.stat().st_size < 20_000:
        time.sleep(0.002)
    process.kill()
    process.wait()
    with samples.open("a") as file:
        file.write('{"prompt_id": "p')  # killed in the middle of a line
    assert len(samples.read_text().splitlines()) < 2400
    finish("sample", killed)
    assert samples.read_text() == (undisturbed / "samples.jsonl").read_text()
    status = read_status(killed / "status.json")
    assert status is not None and status["result"] is not None and status["result"]["completions"] == 2400
    assert json.loads(samples.read_text().splitlines()[-1])["prompt_id"] == "p599"
