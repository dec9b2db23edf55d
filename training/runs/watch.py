"""What the rows of runs say is kept true: progress copied, ends settled, runs of dead workers taken up again."""

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from training import storage
from training.contract.processes import LOST
from training.contract.status import Status, read_status
from training.doorbell import ring
from training.runs.models import Checkpoint, Run
from training.runs.signals import run_ended

logger = logging.getLogger(__name__)

# So often in a row may a run die without getting further than before.
FUTILE_ATTEMPTS = 5
MAKES = {
    "import_model": Checkpoint.Kind.POLICY,
    "pretrain": Checkpoint.Kind.POLICY,
    "sft": Checkpoint.Kind.POLICY,
    "ppo": Checkpoint.Kind.POLICY,
    "reward_model": Checkpoint.Kind.REWARD_MODEL,
}


# ── Beat ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def watch_runs() -> None:
    """One look at all live runs: ring for the queued, take care of those whose worker is gone."""
    for run in Run.objects.filter(state=Run.State.RUNNING):
        if _is_followed(run):
            continue
        status = read_status(storage.run_folder(run.pk) / "status.json")
        if status and _recipe_lives(run, status):
            follow(run, status, pulse=False)
            _stop_orphan(run, status)
        else:
            logger.warning("Run %s lost its worker %s.", run.pk, run.worker)
            settle(run, status)
    ring_queued()


def ring_queued(*, at_once: bool = False) -> None:
    """Ring again for queued runs; the longer one has waited, the less often, so that messages do not pile up."""
    now = timezone.now()
    for run in Run.objects.filter(state=Run.State.QUEUED).order_by("created_at"):
        patience = min(max((now - run.created_at) / 4, timedelta(seconds=5)), timedelta(minutes=5))
        if at_once or run.rung_at is None or now - run.rung_at > patience:
            ring_run(run)


def ring_run(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(rung_at=timezone.now())
    ring("training.tasks.execute_run", str(run.pk), queue=run.queue)


# ── One run ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def follow(run: Run, status: Status | None, *, pulse: bool = True) -> None:
    """Copy the recipe's progress into the row. With `pulse` it says too that a worker is at it."""
    fields = _progress(status)
    changed = {name: value for name, value in fields.items() if getattr(run, name) != value}
    now = timezone.now()
    if pulse and (changed or _age(run.heartbeat_at, now) > settings.HEARTBEAT_SECONDS / 5):
        changed["heartbeat_at"] = now
    if changed:
        _update(run, **changed)


def settle(run: Run, status: Status | None) -> None:
    """The recipe's process has ended: its last word decides. No last word means that it was killed."""
    follow(run, status, pulse=False)
    state = status["state"] if status else "none"
    if status and state == "done":
        _finish(run, status)
    elif status and state == "failed" and status["error"] != LOST:
        fail(run, status["error"] or "The recipe failed without a word.")
    elif state == "stopped":
        queue_again(run)
    else:
        _died(run)


def fail(run: Run, sentence: str) -> None:
    """Nothing is tried again blindly: a failed run waits for a person."""
    if _update(run, state=Run.State.FAILED, error=sentence, eta_seconds=None, finished_at=timezone.now()):
        run_ended.send_robust(sender=Run, run=run)
    logger.error("Run %s (%s) failed: %s", run.pk, run.name, sentence)


def queue_again(run: Run, **fields: Any) -> None:
    """Back in line; the next worker goes on from the saved state. A run that was asked to stop is stopped instead."""
    ends = {"worker": "", "eta_seconds": None, **fields}
    # In this order: a request that comes between the two is seen by the second, and none is ever taken back.
    if _update(run, only={"stop_requested_at": None}, state=Run.State.QUEUED, **ends):
        ring_run(run)
    elif _update(run, state=Run.State.STOPPED, finished_at=timezone.now(), **ends):
        run_ended.send_robust(sender=Run, run=run)


def is_asked_to_stop(run: Run) -> bool:
    """Whether somebody asked this attempt to stop."""
    asked = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, attempts=run.attempts)
    return asked.filter(stop_requested_at__isnull=False).exists()


def _finish(run: Run, status: Status) -> None:
    path = storage.checkpoint_path(run.pk)
    with transaction.atomic():
        if not _update(
            run, state=Run.State.DONE, result=status["result"], eta_seconds=None, finished_at=timezone.now()
        ):
            return
        if run.recipe in MAKES and storage.absolute(path).is_dir():
            Checkpoint.objects.create(run=run, name=run.name, kind=MAKES[run.recipe], path=path)
    run_ended.send_robust(sender=Run, run=run)


def _died(run: Run) -> None:
    """Killed, out of memory, power cut. Tried again as long as the attempts get further; one asked to stop rests."""
    if is_asked_to_stop(run):
        queue_again(run)
    elif run.step > run.furthest_step:
        queue_again(run, furthest_step=run.step, futile_attempts=0)
    elif run.futile_attempts + 1 < FUTILE_ATTEMPTS:
        queue_again(run, futile_attempts=run.futile_attempts + 1)
    else:
        last = _last_line(storage.run_folder(run.pk) / "log.txt")
        fail(
            run,
            f"It died {FUTILE_ATTEMPTS} times at step {run.step} without a word of its own "
            f"(out of memory?){f'; the end of its log: {last}' if last else '.'}",
        )


def _progress(status: Status | None) -> dict[str, Any]:
    if status is None:
        return {}
    return {
        "phase": status["stage"][:100],
        "step": status["step"],
        "total": status["total"],
        "unit": status["unit"],
        "eta_seconds": status["eta_seconds"],
    }


def _update(run: Run, only: Mapping[str, Any] | None = None, **fields: Any) -> bool:
    """Change the row if it is still this attempt's: whoever took the run up later is not disturbed."""
    mine = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, attempts=run.attempts, **(only or {}))
    changed = mine.update(**fields)
    if changed:
        for name, value in fields.items():
            setattr(run, name, value)
    return bool(changed)


# ── Who lives ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_followed(run: Run) -> bool:
    """The worker's pulse is fresh, and the worker is not known to be dead."""
    if _age(run.heartbeat_at, timezone.now()) > settings.HEARTBEAT_SECONDS:
        return False
    host, _, pid = run.worker.rpartition(":")
    return host != socket.gethostname() or _command(int(pid)) != b""


def _recipe_lives(run: Run, status: Status) -> bool:
    """An orphan may still be at work: it is honored, for two on one folder would be worse."""
    if status["state"] != "running":
        return False
    if status["host"] == socket.gethostname():
        command = _command(status["pid"])
        return command is None or str(run.pk).encode() in command
    return timezone.now().timestamp() - status["heartbeat"] < settings.HEARTBEAT_SECONDS


def _stop_orphan(run: Run, status: Status) -> None:
    """Its worker, who would have told it, is gone."""
    if run.stop_requested_at and status["host"] == socket.gethostname():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(status["pid"], signal.SIGTERM)


def _command(pid: int) -> bytes | None:
    """The command line of a process of this machine; b"" where it is dead, None where it lives but cannot be read."""
    try:
        # A zombie has an empty one: it is dead too.
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return b""
    except PermissionError:
        pass
    return None


def _age(moment: datetime | None, now: datetime) -> float:
    return (now - moment).total_seconds() if moment else float("inf")


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
