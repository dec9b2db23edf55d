"""Recipes in two real processes, as a launcher starts them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from training.contract.status import Status, read_status

ROOT = Path(__file__).resolve().parents[3]


def launch(module: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """`torchrun --nproc_per_node 2 -m module arguments`; accelerate's launcher is the same one around it."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m"]
    with log.open("ab") as out:
        return subprocess.Popen(
            [*launcher, module, *arguments],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def launch_recipe(recipe: str, folder: Path) -> subprocess.Popen[bytes]:
    return launch(f"training.recipes.{recipe}", "--run-dir", str(folder), log=folder / "log.txt")


def run_in_turn(items: Iterable[tuple[str, Path]], log: Path) -> int:
    """See in_turn.py; gives the launcher's exit code."""
    words = [f"{name}={folder}" for name, folder in items]
    return launch("tests.training.recipes.in_turn", *words, log=log).wait(timeout=240)


def status_of(folder: Path) -> Status:
    status = read_status(folder / "status.json")
    assert status is not None
    return status


def other_process(launcher: subprocess.Popen[bytes], folder: Path) -> psutil.Process:
    """The one of the launcher's two that is not process 0."""
    first = status_of(folder)["pid"]
    (other,) = (child for child in psutil.Process(launcher.pid).children() if child.pid != first)
    return other


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
