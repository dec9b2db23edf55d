"""Runs that PODIUM_LAUNCHER starts in two processes: followed like any other, and none of them outlives its end."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from tests.processes import wait_until
from tests.training.runs.test_launch import queue
from training import storage
from training.contract.metrics import read_metrics
from training.contract.run_dir import lock
from training.contract.status import read_status
from training.models import Checkpoint, Run
from training.runs import launch, leash

pytestmark = pytest.mark.django_db

TWO = ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
# --multi_gpu is what makes accelerate start processes on a machine without GPUs too.
ACCELERATE = ["accelerate", "launch", "--multi_gpu", *TWO, "--main_process_port", "0"]
TINY = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 32, "block_size": 8, "batch_size": 2, "threads": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ARTIFACT_ROOT = tmp_path
    settings.TRAINING_THREADS = 1
    yield


def test_a_run_in_two_processes_goes_from_row_to_checkpoint(settings: Any) -> None:
    settings.TRAINING_LAUNCHER = ACCELERATE
    run = queue(TINY | {"steps": 4, "save_every": 3})
    launch.execute(run.pk)
    run.refresh_from_db()
    assert run.error == "", (storage.run_folder(run.pk) / "log.txt").read_text()
    assert (run.state, run.step, run.total) == (Run.State.DONE, 4, 4)
    assert (storage.absolute(Checkpoint.objects.get(run=run).path) / "model.safetensors").is_file()
    state = torch.load(storage.run_folder(run.pk) / "state" / "state.pt", weights_only=True)
    assert len(state["rng"]) == 2


def test_a_program_that_is_not_there_fails_with_a_sentence(settings: Any) -> None:
    settings.TRAINING_LAUNCHER = ["accelerat", "launch"]
    run = queue(TINY)
    launch.execute(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.error == "PODIUM_LAUNCHER starts with 'accelerat', which is no program of this machine."


def test_a_folder_that_an_orphan_still_holds_costs_no_attempt(settings: Any) -> None:
    """Whatever exit code the launcher makes of it."""
    settings.TRAINING_LAUNCHER = ["false"]
    run = queue(TINY)
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    with lock(folder):
        launch.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.futile_attempts) == (Run.State.QUEUED, 0)
    launch.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.futile_attempts) == (Run.State.QUEUED, 1)


@pytest.mark.parametrize("victim", ["worker", "launcher"])
def test_all_processes_save_and_end_with(settings: Any, victim: str) -> None:
    """kill -9 of either: every process ends, and no step is lost."""
    settings.TRAINING_LAUNCHER = ["torchrun", "--standalone", "--nproc_per_node", "2"]
    run = queue(TINY | {"steps": 1_000_000, "save_every": 0})
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    launch._write_description(run, folder / "run.json")
    recipe = [*launch._launcher(), "-m", "training.recipes.pretrain", "--run-dir", str(folder)]
    with (folder / "log.txt").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, leash.__file__, *recipe],
            cwd=settings.BASE_DIR,
            env=launch._environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    wait_until(lambda: len(read_metrics(folder / "metrics.jsonl")[0]) >= 5, 120, "five steps")
    (launcher,) = psutil.Process(worker.pid).children()
    processes = launcher.children()
    assert len(processes) == 2
    if victim == "launcher":
        launcher.kill()
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(alive(process) for process in [launcher, *processes]), 60, "the end of all")
    status = read_status(folder / "status.json")
    assert status is not None
    assert status["state"] == "stopped", (folder / "log.txt").read_text()
    steps = read_metrics(folder / "metrics.jsonl")[0][-1]["step"]
    assert torch.load(folder / "state" / "state.pt", weights_only=True)["step"] == steps == status["step"]


# Asks for the recipe as launch.py does, and waits.
WORKER = "import os, subprocess, sys; subprocess.run([sys.executable, sys.argv[1], str(os.getpid()), *sys.argv[2:]])"


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
