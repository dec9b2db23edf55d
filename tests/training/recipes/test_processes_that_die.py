"""What ends one of two processes: killed, told to stop, failed. One word for all of them, and an exact way on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.recipes.conftest import PPO, SFT
from tests.training.recipes.in_turn import SENTENCE
from tests.training.recipes.launched import launch_recipe, other_process, run_in_turn, status_of, wait_until
from tests.training.recipes.test_resume import assert_same, times
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, state_of, texts, weights
from training.contract.processes import LOST

SAVE_EVERY = 3
RUNS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    # Dropout, so that each process has random numbers of its own to go on with.
    "sft": (SFT | {"epochs": 16, "residual_dropout": 0.2, "pretraining_mix": 0.1}, {"policy": "base"}),
    "ppo": (PPO | {"total_episodes": 32 * 9, "samples_every": 0}, {"policy": "sft", "reward_model": "rm"}),
}


def lay_out(world: World, recipe: str, run_id: str) -> Path:
    spec, parents = RUNS[recipe]
    inputs = {
        "texts": world.dataset("corpus", "texts", texts(100)),
        "prompts": world.dataset("asked", "prompts", prompts(24)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(24)),
    }
    return world.run(run_id, recipe, spec | {"threads": 1, "save_every": SAVE_EVERY}, inputs, parents)


def end_in_two_processes(recipe: str, *folders: Path) -> None:
    log = folders[0] / "log.txt"
    assert run_in_turn([(recipe, folder) for folder in folders], log) == 0, log.read_text()[-3000:]


def test_a_run_of_which_one_process_was_killed_goes_on_exactly(world: World) -> None:
    """kill -9 of process 1: process 0 says so and ends. Resumed in two processes, the end is bit for bit that of a run
    in two that nothing disturbed: weights, curves and the state, with the random numbers of both."""
    killed, undisturbed = lay_out(world, "sft", "killed"), lay_out(world, "sft", "undisturbed")
    launcher = launch_recipe("sft", killed)
    wait_until(lambda: len(times(killed)) >= 12, launcher)
    other_process(launcher, killed).kill()
    assert launcher.wait(timeout=60) == 1
    assert (status_of(killed)["state"], status_of(killed)["error"]) == ("failed", LOST)
    saved = state_of(killed)["step"]
    assert saved >= 12 - SAVE_EVERY
    before = times(killed)
    end_in_two_processes("sft", undisturbed, killed)
    assert_same(weights(killed), weights(undisturbed))
    assert curves(killed) == curves(undisturbed)
    assert_same(state_of(killed), state_of(undisturbed))
    after = times(killed)
    assert {step for step in before if after[step] == before[step]} == set(range(1, saved + 1))


def test_processes_told_to_stop_agree_on_the_step(world: World, recwarn: pytest.WarningsRecorder) -> None:
    """SIGTERM to one of them loses no iteration. Two processes go on as if nothing had been; one comes close."""
    stopped, undisturbed = lay_out(world, "ppo", "stopped"), lay_out(world, "ppo", "undisturbed")
    launcher = launch_recipe("ppo", stopped)
    wait_until(lambda: len(times(stopped)) >= 3, launcher)
    other_process(launcher, stopped).terminate()
    assert launcher.wait(timeout=60) == 1
    assert (status_of(stopped)["state"], status_of(stopped)["error"]) == ("stopped", None)
    assert state_of(stopped)["step"] == len(times(stopped)) >= 3

    alone = world.root / "runs" / "alone"
    shutil.copytree(stopped, alone)
    description = json.loads((alone / "run.json").read_text())
    (alone / "run.json").write_text(json.dumps(description | {"run_id": "alone"}))
    end_in_two_processes("ppo", undisturbed, stopped)
    assert_same(weights(stopped), weights(undisturbed))
    assert curves(stopped) == curves(undisturbed)
    assert_same(state_of(stopped), state_of(undisturbed))

    finish("ppo", alone)
    for name, expected in weights(undisturbed).items():
        torch.testing.assert_close(weights(alone)[name], expected, rtol=1e-3, atol=1e-4)
    assert any("2 processes saved this state and 1 go on" in str(warning.message) for warning in recwarn)


def test_the_sentence_of_the_process_that_fails_is_the_run_s(world: World) -> None:
    folder = lay_out(world, "sft", "failing")
    assert run_in_turn([("failing/sft", folder)], folder / "log.txt") == 1
    assert (status_of(folder)["state"], status_of(folder)["error"]) == ("failed", SENTENCE)
    assert len(times(folder)) == 2
    finish("sft", folder)  # and a note of an earlier start ends no later one
