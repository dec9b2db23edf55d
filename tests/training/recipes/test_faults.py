"""What goes wrong in the middle: one sentence, exit code 1, and what was good is still there to go on from."""

import importlib
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.training.recipes.conftest import PPO, PRETRAIN, REWARD_MODEL, SFT
from tests.training.recipes.test_resume import assert_same, start, times, wait_until
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
from training.contract.status import read_status

ROOT = Path(__file__).resolve().parents[3]
RECIPES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "pretrain": (PRETRAIN, {}),
    "sft": (SFT, {"policy": "base"}),
    "reward_model": (REWARD_MODEL, {"policy": "sft"}),
    "ppo": (PPO, {"policy": "sft", "reward_model": "rm"}),
}
FULL = "The disk is full; nothing that was saved before is lost."


def lay_out(world: World, recipe: str, changes: Mapping[str, Any], name: str = "run") -> Path:
    inputs = {
        "texts": world.dataset("corpus", "texts", texts(300)),
        "valid_texts": world.dataset("held_out", "texts", texts(40, seed=1)),
        "prompts": world.dataset("asked", "prompts", prompts(24)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(48)),
        "rankings": world.dataset("ranked", "rankings", rankings(48)),
    }
    spec, parents = RECIPES[recipe]
    return world.run(name, recipe, spec | {"threads": 1} | changes, inputs, parents)


def fail(recipe: str, folder: Path) -> str:
    """Run the recipe in this process and return why it failed."""
    code = importlib.import_module(f"training.recipes.{recipe}").main(["--run-dir", str(folder)])
    return reason(code, folder)


def reason(code: int, folder: Path) -> str:
    status = read_status(folder / "status.json")
    assert status is not None and (code, status["state"]) == (1, "failed")
    assert status["error"] is not None and "Traceback" not in status["error"]
    assert not (folder / "checkpoint").exists()
    return status["error"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_weights_that_break_are_never_saved(world: World, recipe: str) -> None:
    """A learning rate that makes every weight infinite: the state of before is not overwritten, nothing is published,
    whether the next loss shows it or the run was at its end."""
    rates = {"lr": 1e39} | ({"value_lr": 1e39, "warmup_iterations": 0} if recipe == "ppo" else {"warmup_steps": 0})
    folder = lay_out(world, recipe, rates | {"save_every": 1})
    assert "the learning rate may be too high. Nothing saved is overwritten." in fail(recipe, folder)
    assert not (folder / "state" / "state.pt").exists()


def test_a_disk_that_is_full_at_a_save_leaves_the_state_of_before(world: World) -> None:
    expected = lay_out(world, "sft", {"save_every": 5}, "undisturbed")
    finish("sft", expected)
    folder = lay_out(world, "sft", {"save_every": 5})
    process = start("sft", folder)
    wait_until(process, folder, lambda: len(times(folder)) >= 7)
    process.kill()
    process.wait()
    before = state_of(folder)
    temporary = folder / "state" / "state.pt.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to("/dev/full")  # where every write finds no space left on the device
    assert fail("sft", folder) == FULL
    assert_same(state_of(folder), before)
    finish("sft", folder)
    assert_same(weights(folder), weights(expected))
    assert curves(folder) == curves(expected)


@pytest.mark.parametrize("save_every", [5, 0])
def test_a_disk_that_is_full_leaves_no_remains(world: World, save_every: int) -> None:
    """Files may not become as large as the weights: the save fails, or, where none is due, the checkpoint at the end.
    What was written of it is gone, so that there is room for the sentence. Given room, the run comes to its end."""
    folder = lay_out(world, "sft", {"save_every": save_every})
    limit = 20_000
    child = subprocess.run(
        [sys.executable, "-m", "training.recipes.sft", "--run-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        timeout=120,
    )
    assert reason(child.returncode, folder) == FULL
    assert not [path.name for path in folder.rglob("*") if path.suffix in (".tmp", ".safetensors", ".pt")]
    finish("sft", folder)


def test_what_a_killed_process_left_half_written_is_not_read(world: World) -> None:
    """Beside the state and the checkpoint, under their temporary names: the run is what it is without them."""
    expected = lay_out(world, "sft", {}, "undisturbed")
    finish("sft", expected)
    folder = lay_out(world, "sft", {})
    for name in ("state/state.pt.tmp", "checkpoint.tmp/model.safetensors"):
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(b"half")
    finish("sft", folder)
    assert_same(weights(folder), weights(expected))
    assert sorted(path.name for path in (folder / "checkpoint").iterdir()) == sorted(
        path.name for path in (expected / "checkpoint").iterdir()
    )


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_damaged_state_is_named_and_kept(world: World, share: float) -> None:
    folder = lay_out(world, "sft", {"save_every": 5})
    finish("sft", folder)
    checkpoint, state = folder / "checkpoint", folder / "state" / "state.pt"
    whole = weights(folder)
    checkpoint.rename(folder / "earlier")
    damaged = state.read_bytes()[: int(share * state.stat().st_size)]
    state.write_bytes(damaged)
    assert fail("sft", folder) == f"The saved state {state} is damaged; without that file the run begins anew."
    assert state.read_bytes() == damaged
    state.unlink()
    finish("sft", folder)
    assert_same(weights(folder), whole)


def test_an_empty_answer_may_be_ranked(world: World) -> None:
    """A policy may end at once. Its answer is the end token alone, and people rank it last."""
    rows = [row | {"completions": [*row["completions"], ""], "ranks": [*row["ranks"], 4]} for row in rankings(16)]
    folder = lay_out(world, "reward_model", {})
    inputs = {
        "rankings": world.dataset("with_empty", "rankings", rows),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    folder = world.run("empty", "reward_model", REWARD_MODEL, inputs, {"policy": "sft"})
    result = finish("reward_model", folder)
    assert result["comparisons"] == 16 * (5 + 4)
