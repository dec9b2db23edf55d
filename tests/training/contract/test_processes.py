"""What the processes of one run tell each other through its folder."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.contract import processes
from training.contract.run_dir import is_held, lock
from training.contract.status import read_status


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")


def test_a_run_that_nobody_launched_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (processes.rank(), processes.count()) == (0, 1)
    assert not processes.is_loss(RuntimeError("Connection closed by peer"))


@pytest.mark.usefixtures("second_of_two")
def test_only_a_lost_connection_is_a_loss() -> None:
    gone = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:51234"
    assert processes.is_loss(RuntimeError(gone))
    assert not processes.is_loss(RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))
    assert not processes.is_loss(ConnectionError("Connection closed by peer"))  # not of a collective operation


@pytest.mark.usefixtures("second_of_two")
def test_a_note_is_read_and_forgotten(tmp_path: Path) -> None:
    notes = processes.Notes(tmp_path)
    assert notes.read() is None
    notes.leave("The memory is not enough.")
    assert notes.read() == "The memory is not enough."
    notes.clear()
    assert notes.read() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("second_of_two")
def test_who_waits_in_vain_is_told_from_a_thread(tmp_path: Path) -> None:
    told: list[str] = []
    notes = processes.Notes(tmp_path)
    notes.watch(told.append, patience=0.0)
    notes.leave("The disk is full.")
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told == ["The disk is full."]


def test_process_1_leaves_a_note_and_writes_no_status(tmp_path: Path) -> None:
    """As a process, because it leaves at once. There is no run.json, which it says."""
    code = f"from training.contract.execute import execute; execute('sft', None, ['--run-dir', {str(tmp_path)!r}])"
    child = subprocess.run(
        [sys.executable, "-c", code], env={"RANK": "1", "WORLD_SIZE": "2"}, cwd=Path(__file__).parents[3], timeout=60
    )
    assert child.returncode == 1
    assert read_status(tmp_path / "status.json") is None
    assert processes.Notes(tmp_path).read() == f"There is no run.json in {tmp_path}."


def test_who_holds_a_folder_is_seen_by_others(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    with lock(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
