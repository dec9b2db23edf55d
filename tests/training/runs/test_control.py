"""Runs that people stop, resume and try again with other settings: real recipes, followed by real workers."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from django.db import connection

from tests.people import make_user
from tests.processes import wait_until
from tests.training.runs.test_launch import queue
from tests.training.runs.test_launcher import TINY
from tests.training.runs.test_watch import dead_pid, make_run, word
from training import storage
from training.contract.metrics import read_metrics
from training.contract.specs import SpecError
from training.contract.status import read_status
from training.models import Run
from training.runs import control, launch, watch
from training.runs.signals import run_ended

pytestmark = pytest.mark.django_db
__all__ = ["dead_pid"]  # a fixture
LONG = TINY | {"steps": 1_000_000, "save_every": 0}


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ARTIFACT_ROOT = tmp_path
    settings.TRAINING_THREADS = 1
    yield


def state_of(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def started(run: Run) -> threading.Thread:
    """A worker at the run, which is training by now."""
    worker = in_thread(lambda: launch.execute(run.pk))
    metrics = storage.run_folder(run.pk) / "metrics.jsonl"
    wait_until(lambda: len(read_metrics(metrics)[0]) >= 3, 60, "three steps")
    return worker


@pytest.mark.django_db(transaction=True)
def test_a_running_recipe_saves_and_leaves_and_goes_on_where_it_was() -> None:
    run = queue(LONG)
    worker = started(run)
    assert control.stop(run)
    assert control.stop(run)  # a second request changes nothing
    worker.join(30)
    run.refresh_from_db()
    assert (run.state, run.error, run.worker) == (Run.State.STOPPED, "", "")
    assert run.finished_at is not None
    folder = storage.run_folder(run.pk)
    steps = read_metrics(folder / "metrics.jsonl")[0][-1]["step"]
    assert torch.load(folder / "state" / "state.pt", weights_only=True)["step"] == steps == run.step
    assert not control.stop(run)

    assert control.resume(run)
    assert not control.resume(run)
    assert state_of(run) == Run.State.QUEUED
    worker = in_thread(lambda: launch.execute(run.pk))
    wait_until(lambda: read_metrics(folder / "metrics.jsonl")[0][-1]["step"] > steps + 2, 60, "further steps")
    assert [row["step"] for row in read_metrics(folder / "metrics.jsonl")[0]][:3] == [1, 2, 3]
    assert control.stop(run)
    worker.join(30)
    assert state_of(run) == Run.State.STOPPED
    assert [request.verb for request in run.requests.all()] == ["stop", "resume", "stop"]


def test_a_queued_run_is_stopped_at_once_and_no_worker_takes_it() -> None:
    run = queue(LONG)
    user = make_user("researcher")
    assert control.stop(run, by=user)
    assert (run.state, run.attempts) == (Run.State.STOPPED, 0)
    launch.execute(run.pk)
    assert state_of(run) == Run.State.STOPPED
    assert run.requests.get().by == user


def test_listeners_hear_of_a_stop(django_capture_on_commit_callbacks: Any) -> None:
    heard: list[Run] = []

    def listen(run: Run, **_: Any) -> None:
        heard.append(run)

    run_ended.connect(listen)
    try:
        run = queue(LONG)
        with django_capture_on_commit_callbacks(execute=True):
            control.stop(run)
        other = make_run()
        word(other, state="stopped")
        control.stop(other)
        watch.settle(other, read_status(launch._status_file(other)))
    finally:
        run_ended.disconnect(listen)
    assert heard == [run, other]


def test_a_run_that_ends_by_itself_meanwhile_is_done() -> None:
    run = make_run()
    assert control.stop(run)
    word(run, state="done", result={"loss": 1.5})
    watch.settle(run, read_status(launch._status_file(run)))
    assert state_of(run) == Run.State.DONE
    assert not control.resume(run)


def test_a_run_that_fails_meanwhile_says_so() -> None:
    run = make_run()
    control.stop(run)
    word(run, state="failed", error="The disk is full.")
    watch.settle(run, read_status(launch._status_file(run)))
    assert state_of(run) == Run.State.FAILED
    assert launch.retry(run)
    assert run.stop_requested_at is None


@pytest.mark.parametrize("last_word", ["stopped", "running"])
def test_a_run_whose_worker_is_killed_meanwhile_is_stopped_and_not_queued(last_word: str) -> None:
    """Its recipe saved by the leash, or was killed too and left no word."""
    run = make_run(worker="elsewhere:17")
    word(run, state=last_word, pid=2**22 + 1, host="elsewhere", heartbeat=0)
    assert control.stop(run)
    watch.watch_runs()
    assert state_of(run) == Run.State.STOPPED


def test_an_orphan_whose_worker_is_gone_is_told_to_stop(dead_pid: int) -> None:
    run = make_run(worker=f"{socket.gethostname()}:{dead_pid}")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", str(run.pk)], stdin=-1) as orphan:
        word(run, pid=orphan.pid)
        control.stop(run)
        watch.watch_runs()
        assert orphan.wait(10) == -signal.SIGTERM
    watch.watch_runs()
    assert state_of(run) == Run.State.STOPPED


def test_a_worker_that_shuts_down_queues_again_what_nobody_stopped() -> None:
    run = make_run()
    word(run, state="stopped")
    watch.settle(run, read_status(launch._status_file(run)))
    assert state_of(run) == Run.State.QUEUED


def test_a_done_run_is_neither_stopped_nor_resumed_nor_tried_again() -> None:
    run = make_run(state=Run.State.DONE)
    assert not control.stop(run)
    assert not control.resume(run)
    assert not launch.retry(run, {"epochs": 1})
    assert not run.requests.exists()


def test_settings_that_only_say_how_go_on_from_the_saved_state() -> None:
    run = queue(TINY)
    folder = storage.run_folder(run.pk)
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "state.pt").write_text("saved")
    Run.objects.update(state=Run.State.FAILED, error="The memory is not enough.", furthest_step=7)
    assert launch.retry(run, TINY | {"threads": 2})
    assert (run.state, run.error, run.spec["threads"]) == (Run.State.QUEUED, "", 2)
    assert json.loads((folder / "run.json").read_text())["spec"]["threads"] == 2
    assert (folder / "state" / "state.pt").read_text() == "saved"
    request = run.requests.get()
    assert (request.verb, request.anew, request.changed) == ("retry", False, {"threads": [1, 2]})


def test_other_settings_begin_anew_and_nothing_is_lost() -> None:
    run = queue(TINY)
    folder = storage.run_folder(run.pk)
    (folder / "state").mkdir(parents=True)
    (folder / "metrics.jsonl").write_text('{"step": 1}\n')
    (folder / "log.txt").write_text("first attempt\n")
    Run.objects.update(state=Run.State.STOPPED, attempts=3, step=5, furthest_step=4)
    assert launch.retry(run, TINY | {"batch_size": 4})
    assert (run.step, run.furthest_step) == (0, 0)
    assert sorted(path.name for path in folder.iterdir()) == ["earlier", "log.txt", "run.json"]
    assert (folder / "earlier" / "3" / "metrics.jsonl").read_text() == '{"step": 1}\n'
    assert (folder / "earlier" / "3" / "state").is_dir()
    assert run.requests.get().changed == {"batch_size": [2, 4]}


def test_one_may_go_on_with_other_settings_on_purpose() -> None:
    run = queue(TINY)
    (storage.run_folder(run.pk) / "state").mkdir(parents=True)
    Run.objects.update(state=Run.State.STOPPED)
    assert launch.retry(run, TINY | {"steps": 4000}, anew=False)
    assert (storage.run_folder(run.pk) / "state").is_dir()


def test_settings_that_cannot_work_change_nothing() -> None:
    run = queue(TINY)
    Run.objects.update(state=Run.State.FAILED)
    with pytest.raises(SpecError):
        launch.retry(run, TINY | {"steps": -3})
    run.refresh_from_db()
    assert (run.state, run.spec) == (Run.State.FAILED, TINY)
    assert not run.requests.exists()


def test_of_two_who_try_again_one_is_first() -> None:
    run = queue(TINY)
    Run.objects.update(state=Run.State.FAILED)
    assert launch.retry(run, TINY)
    assert not launch.retry(run, TINY | {"steps": 9})
    run.refresh_from_db()
    assert run.spec == TINY


@pytest.mark.django_db(transaction=True)
def test_a_stop_and_a_claim_at_the_same_moment_leave_a_run_that_ends() -> None:
    """Whichever comes first: the run is stopped, or a worker has it and the request is in its row."""
    for _ in range(10):
        run = queue(LONG)
        threads = [in_thread(lambda run=run: control.stop(run)), in_thread(lambda run=run: launch._claim(run.pk))]
        for thread in threads:
            thread.join(10)
        run.refresh_from_db()
        assert run.stop_requested_at is not None
        assert run.state in (Run.State.STOPPED, Run.State.RUNNING)
