"""Kill -9 in the middle, resume, and end with the very weights of a run that was never disturbed. Real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.recipes.conftest import PPO, PRETRAIN, REWARD_MODEL, SFT, copy_of
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
from training.contract.metrics import read_metrics
from training.contract.status import read_status

ROOT = Path(__file__).resolve().parents[3]
SAVE_EVERY = 3

CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "ppo_ptx": (
        "ppo",
        PPO
        | {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.25, "ptx_block_size": 32, "num_ppo_epochs": 2}
        | {"kl_controller": "adaptive", "kl_horizon": 500, "total_episodes": 32 * 16},
        {"policy": "sft", "reward_model": "rm"},
    ),
    "sft": (
        "sft",
        SFT | {"epochs": 30, "pretraining_mix": 0.1, "response_length": 12},
        {"policy": "base", "reward_model": "rm"},
    ),
    "reward_model": ("reward_model", REWARD_MODEL | {"epochs": 15}, {"policy": "sft"}),
    "reward_model_lora": ("reward_model", REWARD_MODEL | {"epochs": 15, "lora_rank": 4, "heads": 3}, {"policy": "sft"}),
    "ppo_lora": ("ppo", PPO | {"lora_rank": 4, "total_episodes": 32 * 10}, {"policy": "sft", "reward_model": "rm"}),
    "pretrain": ("pretrain", PRETRAIN | {"steps": 120}, {}),
}


def lay_out(world: World, name: str, run_id: str) -> tuple[str, Path]:
    recipe, spec, parents = CASES[name]
    inputs = {
        "texts": world.dataset("texts", "texts", texts(300)),
        "valid_texts": world.dataset("valid_texts", "texts", texts(40, seed=1)),
        "prompts": world.dataset("prompts", "prompts", prompts(24)),
        "demonstrations": world.dataset("demonstrations", "demonstrations", demonstrations(48)),
        "valid_demonstrations": world.dataset("held_out", "demonstrations", demonstrations(8)),
        "rankings": world.dataset("rankings", "rankings", rankings(48)),
    }
    return recipe, world.run(run_id, recipe, spec | {"threads": 1, "save_every": SAVE_EVERY}, inputs, parents)


@pytest.fixture(scope="module")
def undisturbed(trained: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the folder of a finished run that nothing disturbed, once for each case."""
    world = copy_of(trained, tmp_path_factory.mktemp("undisturbed"))
    folders: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in folders:
            recipe, folders[name] = lay_out(world, name, f"{name}-undisturbed")
            finish(recipe, folders[name])
        return folders[name]

    return make


def start(recipe: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"training.recipes.{recipe}", "--run-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until(process: subprocess.Popen[bytes], folder: Path, reached: Callable[[], bool]) -> None:
    deadline = time.time() + 120
    while not reached():
        assert process.poll() is None, read_status(folder / "status.json")
        assert time.time() < deadline
        time.sleep(0.002)


def times(folder: Path) -> dict[int, float]:
    """When the row of each step was first written."""
    found: dict[int, float] = {}
    for row in read_metrics(folder / "metrics.jsonl")[0]:
        found.setdefault(row["step"], row["time"])
    return found


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
    ("name", "rows"),
    [
        ("ppo_ptx", 5),
        ("ppo_ptx", 2),
        ("sft", 40),
        ("reward_model", 30),
        ("reward_model_lora", 30),
        ("ppo_lora", 4),
        ("pretrain", 50),
    ],
)
def test_a_run_killed_and_resumed_ends_as_if_undisturbed(
    world: World, undisturbed: Callable[[str], Path], name: str, rows: int
) -> None:
    """Bit for bit: the weights, every row of the curves, and the last saved state (both optimizers, the average, the
    controller of the KL coefficient, the random numbers). What was done before the last save is not done again."""
    expected = undisturbed(name)
    recipe, killed = lay_out(world, name, "killed")
    process = start(recipe, killed)
    wait_until(process, killed, lambda: len(times(killed)) >= rows)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "checkpoint").exists()
    at_death = read_status(killed / "status.json")
    assert at_death is not None and at_death["state"] == "running"
    saved = state_of(killed)["step"] if (killed / "state" / "state.pt").exists() else 0
    assert saved >= rows - SAVE_EVERY
    before = times(killed)
    finish(recipe, killed)

    assert_same(weights(expected), weights(killed))
    assert curves(expected) == curves(killed)
    assert_same(state_of(expected), state_of(killed))
    after = times(killed)
    assert {step for step in before if after[step] == before[step]} == set(range(1, saved + 1))


def test_a_stopped_run_saves_and_goes_on_from_there(world: World, undisturbed: Callable[[str], Path]) -> None:
    """SIGTERM loses not one iteration: the state is that of the last row written, and the end is the same."""
    expected = undisturbed("ppo_ptx")
    recipe, stopped = lay_out(world, "ppo_ptx", "stopped")
    process = start(recipe, stopped)
    wait_until(process, stopped, lambda: len(times(stopped)) >= 4)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 75
    before = times(stopped)
    assert state_of(stopped)["step"] == len(before) >= 4
    finish(recipe, stopped)
    assert_same(weights(expected), weights(stopped))
    assert curves(expected) == curves(stopped)
    assert before.items() <= times(stopped).items()


def test_sampling_killed_and_resumed_gives_the_same_rows(world: World) -> None:
    """Whole batches that were written stay as they are, a torn line goes, the rest is sampled as it would have been."""
    inputs = {"prompts": world.dataset("prompts", "prompts", prompts(600))}
    spec = {"response_length": 20, "batch_size": 8, "samples_per_prompt": 4, "threads": 1}
    undisturbed = world.run("undisturbed", "sample", spec, inputs, {"policy": "sft"})
    finish("sample", undisturbed)
    expected = (undisturbed / "samples.jsonl").read_text().splitlines()

    killed = world.run("killed", "sample", spec, inputs, {"policy": "sft"})
    samples = killed / "samples.jsonl"
    process = start("sample", killed)
    wait_until(process, killed, lambda: samples.exists() and samples.stat().st_size > 20_000)
    process.kill()
    process.wait()
    # The first row is marked, to see that it is kept; the last one is left as a kill in the middle of a line does.
    first, *rest = samples.read_text().splitlines()
    assert 8 < len(rest) < 2399
    samples.write_text("\n".join([json.dumps(json.loads(first) | {"kept": True}), *rest, '{"prompt_id": "p']))
    result = finish("sample", killed)
    found = samples.read_text().splitlines()
    assert json.loads(found[0]) == json.loads(expected[0]) | {"kept": True}
    assert found[1:] == expected[1:]
    assert result["completions"] == len(found) == 2400
    assert json.loads(found[-1])["prompt_id"] == "p599"
