"""The process around a recipe, with real processes: exit codes, status, signals, the lock."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.contract.status import read_status

ROOT = Path(__file__).resolve().parents[3]

RECIPE = """
import resource, time
import torch
from training.contract.execute import RunStopped, execute
from training.contract.run_dir import RunError

def work(run, spec, status, stop):
    kind = run.run_id
    if kind == "refuses":
        raise RunError("The corpus is too small.")
    if kind == "breaks":
        raise ZeroDivisionError("division by zero")
    if kind.startswith("memory"):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
        torch.zeros(2**28) if kind == "memory of torch" else bytearray(2**30)
    for step in range(1, 10_000 if kind == "slow" else 4):
        status.progress(step, 10_000, "step")
        if stop.requested:
            raise RunStopped
        time.sleep(0.01)
    return {"lm_loss": 0.5}

raise SystemExit(execute("sft", work))
"""

MEMORY = (
    "The memory is not enough; a smaller micro_batch_tokens than 4096 needs less, "
    "and nothing that was saved before is lost."
)


def start(folder: Path, kind: str) -> subprocess.Popen[str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"run_id": kind, "recipe": "sft", "seed": 1, "spec": {}}))
    return subprocess.Popen(
        [sys.executable, "-c", RECIPE, "--run-dir", str(folder)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def wait_for_steps(folder: Path) -> None:
    for _ in range(500):
        status = read_status(folder / "status.json")
        if status is not None and status["step"] > 0:
            return
        time.sleep(0.02)
    raise AssertionError("the process made no step")


def test_a_finished_run_says_done_and_its_result(tmp_path: Path) -> None:
    assert start(tmp_path / "run", "quick").wait(timeout=30) == 0
    status = read_status(tmp_path / "run" / "status.json")
    assert status is not None
    assert (status["state"], status["result"], status["error"], status["step"]) == ("done", {"lm_loss": 0.5}, None, 3)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("refuses", "The corpus is too small."),
        ("breaks", "ZeroDivisionError: division by zero"),
        ("memory of torch", MEMORY),
        ("memory of Python", MEMORY),
    ],
)
def test_a_failed_run_says_why_in_one_sentence(tmp_path: Path, kind: str, sentence: str) -> None:
    assert start(tmp_path / "run", kind).wait(timeout=30) == 1
    status = read_status(tmp_path / "run" / "status.json")
    assert status is not None
    assert (status["state"], status["error"]) == ("failed", sentence)


def test_sigterm_stops_a_run_that_may_be_resumed(tmp_path: Path) -> None:
    process = start(tmp_path / "run", "slow")
    wait_for_steps(tmp_path / "run")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 75
    status = read_status(tmp_path / "run" / "status.json")
    assert status is not None and status["state"] == "stopped"


def test_a_second_process_on_the_folder_leaves_and_changes_nothing(tmp_path: Path) -> None:
    first = start(tmp_path / "run", "slow")
    wait_for_steps(tmp_path / "run")
    second = start(tmp_path / "run", "slow")
    assert second.wait(timeout=30) == 76
    assert "Another process is working" in second.communicate()[1]
    status = read_status(tmp_path / "run" / "status.json")
    assert status is not None and (status["state"], status["pid"]) == ("running", first.pid)
    first.kill()
    first.wait()


def test_the_heartbeat_goes_on_during_a_long_step(tmp_path: Path) -> None:
    code = (
        "import time; from pathlib import Path; from training.contract import status\n"
        f"status.HEARTBEAT_SECONDS = 0.05; status.StatusWriter(Path({str(tmp_path / 'status.json')!r})); time.sleep(1)"
    )
    before = time.time()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=30)
    status = read_status(tmp_path / "status.json")
    assert status is not None and status["heartbeat"] > before + 0.5
