"""Runs whose worker or recipe is gone: taken up again while they get further, else failed with a sentence."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from training import storage
from training.contract.processes import LOST
from training.contract.status import read_status
from training.models import Checkpoint, Run
from training.runs import launch, watch
from training.runs.signals import run_ended

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ARTIFACT_ROOT = tmp_path
    yield


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def make_run(**fields: Any) -> Run:
    values: dict[str, Any] = {"recipe": "sft", "name": "r", "spec": {}, "seed": 1, "state": Run.State.RUNNING}
    run = Run.objects.create(**{**values, **fields})
    storage.run_folder(run.pk).mkdir(parents=True)
    return run


def word(run: Run, **fields: Any) -> None:
    """The recipe's own word."""
    status: dict[str, Any] = {
        "state": "running", "stage": "training", "step": 3, "total": 10, "unit": "step", "error": None,
        "heartbeat": timezone.now().timestamp(), "started_at": timezone.now().timestamp(), "eta_seconds": 7.0,
        "pid": os.getpid(), "host": socket.gethostname(), "result": None,
    }  # fmt: skip
    (storage.run_folder(run.pk) / "status.json").write_text(json.dumps({**status, **fields}))


def test_a_run_whose_worker_and_recipe_died_is_queued_again(dead_pid: int) -> None:
    run = make_run(worker=f"{socket.gethostname()}:{dead_pid}", heartbeat_at=timezone.now())
    word(run, pid=dead_pid)
    watch.watch_runs()
    run.refresh_from_db()
    assert (run.state, run.step, run.worker) == (Run.State.QUEUED, 3, "")


def test_a_run_whose_worker_lives_is_left_alone() -> None:
    run = make_run(worker=f"{socket.gethostname()}:{os.getpid()}", heartbeat_at=timezone.now())
    watch.watch_runs()
    run.refresh_from_db()
    assert (run.state, run.attempts) == (Run.State.RUNNING, 0)


def test_a_recipe_that_outlived_its_worker_is_followed_not_doubled(dead_pid: int) -> None:
    run = make_run(worker=f"{socket.gethostname()}:{dead_pid}", heartbeat_at=timezone.now())
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", str(run.pk)], stdin=-1) as orphan:
        word(run, pid=orphan.pid, step=5)
        watch.watch_runs()
        run.refresh_from_db()
        assert (run.state, run.step) == (Run.State.RUNNING, 5)
        orphan.communicate(b"")
    watch.watch_runs()
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_a_foreign_worker_is_believed_until_its_heartbeat_is_old(settings: Any) -> None:
    run = make_run(worker="elsewhere:17", heartbeat_at=timezone.now())
    watch.watch_runs()
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=settings.HEARTBEAT_SECONDS + 1))
    watch.watch_runs()
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_dying_without_getting_further_fails_in_the_end_with_the_last_line_of_the_log(dead_pid: int) -> None:
    run = make_run()
    (storage.run_folder(run.pk) / "log.txt").write_text("loading\nMemoryError: 7 GB\n\n")
    for attempt in range(watch.FUTILE_ATTEMPTS):
        run.refresh_from_db()
        assert run.state != Run.State.FAILED, attempt
        Run.objects.update(state=Run.State.RUNNING)
        run.refresh_from_db()
        watch.settle(run, None)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.error.endswith("the end of its log: MemoryError: 7 GB")


def test_a_run_that_lost_one_of_its_processes_is_tried_again() -> None:
    """As one that was killed as a whole is, though process 0 lived to say so."""
    run = make_run()
    word(run, state="failed", error=LOST, step=4)
    watch.settle(run, read_status(storage.run_folder(run.pk) / "status.json"))
    run.refresh_from_db()
    assert (run.state, run.furthest_step, run.error) == (Run.State.QUEUED, 4, "")


def test_dying_further_on_each_time_is_tried_again(dead_pid: int) -> None:
    run = make_run()
    for step in range(1, 3 * watch.FUTILE_ATTEMPTS):
        Run.objects.update(state=Run.State.RUNNING)
        run.refresh_from_db()
        word(run, step=step)
        watch.settle(run, read_status(launch._status_file(run)))
        run.refresh_from_db()
        assert run.state == Run.State.QUEUED


def test_the_last_word_makes_the_checkpoint_once_and_tells_listeners() -> None:
    run = make_run()
    (storage.run_folder(run.pk) / "checkpoint").mkdir()
    heard: list[Run] = []

    def listen(run: Run, **_: Any) -> None:
        heard.append(run)

    run_ended.connect(listen)
    try:
        word(run, state="done", result={"loss": 1.5}, step=10)
        status = read_status(launch._status_file(run))
        watch.settle(run, status)
        watch.settle(run, status)
    finally:
        run_ended.disconnect(listen)
    run.refresh_from_db()
    assert (run.state, run.result, run.step) == (Run.State.DONE, {"loss": 1.5}, 10)
    checkpoint = Checkpoint.objects.get(run=run)
    assert (checkpoint.kind, checkpoint.path) == ("policy", f"runs/{run.pk}/checkpoint")
    assert heard[0] == run


def test_an_earlier_attempt_cannot_disturb_the_one_that_took_over() -> None:
    run = make_run(attempts=1)
    Run.objects.update(attempts=2)
    watch.fail(run, "too late")
    run.refresh_from_db()
    assert (run.state, run.error) == (Run.State.RUNNING, "")


def test_a_recipes_sentence_is_the_runs_error() -> None:
    run = make_run()
    word(run, state="failed", error="file prompts.jsonl, line 3: no prompt.")
    watch.settle(run, read_status(launch._status_file(run)))
    run.refresh_from_db()
    assert (run.state, run.error) == (Run.State.FAILED, "file prompts.jsonl, line 3: no prompt.")
