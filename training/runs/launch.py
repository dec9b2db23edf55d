"""From a queued row to a recipe's process: queue a run, claim it, start it, follow it to its end."""

import functools
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Model
from django.utils import timezone

from training import storage
from training.contract.processes import LEASH
from training.contract.run_dir import RunError, is_held, write_atomically
from training.contract.specs import spec_from_dict
from training.contract.status import read_status
from training.runs import leash, watch
from training.runs.models import Checkpoint, Dataset, Run, RunInput, RunParent

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 1.0
EXIT_BUSY = 76  # another process holds the run folder
# The recipe reads files; what opens the database or signs cookies is none of its business.
SECRETS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_HOST_PASSWORD")

# Set when this worker is asked to end: its recipes are told to save and stop, and their runs are queued again.
stopping = threading.Event()


def queue_run(
    *,
    recipe: str,
    name: str,
    spec: Mapping[str, Any],
    seed: int,
    inputs: Mapping[str, Dataset],
    parents: Mapping[str, Checkpoint],
) -> Run:
    """Put a run in line. Raises SpecError for settings that cannot work; then no row is made."""
    spec_from_dict(recipe, spec)
    with transaction.atomic():
        run = Run.objects.create(recipe=recipe, name=name, spec=dict(spec), seed=seed)
        RunInput.objects.bulk_create(RunInput(run=run, name=key, dataset=inputs[key]) for key in inputs)
        RunParent.objects.bulk_create(RunParent(run=run, role=key, checkpoint=parents[key]) for key in parents)
        transaction.on_commit(lambda: watch.ring_run(run), robust=True)
    return run


def retry(run: Run, spec: Mapping[str, Any] | None = None, *, by: Model | None = None) -> bool:
    """Queue a failed or stopped run again, with other settings if `spec` says so. False where it is neither any more.

    Raises SpecError for settings that cannot work.
    """
    changes: dict[str, Any] = {}
    if spec is not None:
        spec_from_dict(run.recipe, spec)
        changes = {"spec": dict(spec)}
    changed = Run.objects.filter(pk=run.pk, state__in=(Run.State.FAILED, Run.State.STOPPED)).update(
        state=Run.State.QUEUED, error="", finished_at=None, futile_attempts=0, rung_at=None, **changes
    )
    if changed:
        transaction.on_commit(lambda: watch.ring_run(run), robust=True)
    return bool(changed)


def execute(run_id: UUID) -> None:
    """Work one queued run to its end. Leaves quietly where it is not queued (any more): another worker has it."""
    run = _claim(run_id)
    if run is None:
        return
    try:
        process = _start(run)
    except OSError as error:
        watch.fail(run, f"The run folder cannot be made ready: {error.strerror or error}.")
        return
    except RunError as error:
        watch.fail(run, str(error))
        return
    code = _follow_to_the_end(run, process)
    if code == EXIT_BUSY or is_held(storage.run_folder(run.pk)):  # a launcher has exit codes of its own
        time.sleep(2)  # an orphan of a killed worker or launcher is still saving; it ends soon
        watch.queue_again(run)
    else:
        watch.settle(run, read_status(_status_file(run)))
    if not stopping.is_set():
        watch.ring_queued(at_once=True)


def _claim(run_id: UUID) -> Run | None:
    """The conditional UPDATE settles the race of several workers. `attempts` fences off the earlier ones."""
    if stopping.is_set():
        return None
    now = timezone.now()
    claimed = Run.objects.filter(pk=run_id, state=Run.State.QUEUED).update(
        state=Run.State.RUNNING,
        attempts=F("attempts") + 1,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        heartbeat_at=now,
        started_at=now,
    )
    return Run.objects.get(pk=run_id) if claimed else None


def _start(run: Run) -> "subprocess.Popen[bytes]":
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "run.json").exists():
        write_atomically(folder / "run.json", functools.partial(_write_description, run))
    # Every attempt begins without a status, so that an old word is never taken for a new one.
    _status_file(run).unlink(missing_ok=True)
    recipe = [*_launcher(), "-m", f"training.recipes.{run.recipe}", "--run-dir", str(folder)]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, leash.__file__, str(os.getpid()), *recipe],
            cwd=settings.BASE_DIR,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _launcher() -> list[str]:
    """What starts a recipe. Raises RunError where PODIUM_LAUNCHER names no program of this machine."""
    if not settings.TRAINING_LAUNCHER:
        return [sys.executable]
    name, *arguments = settings.TRAINING_LAUNCHER
    program = shutil.which(name, path=_environment()["PATH"])
    if program is None:
        raise RunError(f"PODIUM_LAUNCHER starts with '{name}', which is no program of this machine.")
    return [program, *arguments]


def _write_description(run: Run, path: Path) -> None:
    path.write_text(json.dumps(_description(run), indent=1), encoding="utf-8")


def _description(run: Run) -> dict[str, Any]:
    """run.json: all that the recipe may know."""
    inputs = run.inputs.select_related("dataset")
    parents = run.parents.select_related("checkpoint")
    return {
        "run_id": str(run.pk),
        "recipe": run.recipe,
        "seed": run.seed,
        "spec": run.spec,
        "inputs": {row.name: {"path": row.dataset.path, "sha256": row.dataset.sha256} for row in inputs},
        "parents": {
            row.role: {
                "path": row.checkpoint.path,
                "run_id": str(row.checkpoint.run_id) if row.checkpoint.run_id else None,
            }
            for row in parents
        },
        "code_version": _code_version(),
        "created_at": run.created_at.isoformat(),
    }


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    environment["PYTHONUNBUFFERED"] = "1"
    # `accelerate` and `torchrun` lie beside the Python that runs us.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if settings.TRAINING_LAUNCHER:
        environment[LEASH] = "1"
        # Told to stop, the launcher gives its processes so many seconds to save.
        environment.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "300")
    if settings.TRAINING_THREADS:
        environment["OMP_NUM_THREADS"] = str(settings.TRAINING_THREADS)
    return environment


@functools.cache
def _code_version() -> str:
    """The commit, with `-dirty` where files differ from it; in an image without git what CODE_VERSION says."""
    if version := os.environ.get("CODE_VERSION"):
        return version
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip() or "unknown"


def _follow_to_the_end(run: Run, process: "subprocess.Popen[bytes]") -> int:
    """Copy the recipe's progress into the row until its process ends; gives the exit code."""
    told_to_stop = False
    while True:
        try:
            return process.wait(FOLLOW_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        if stopping.is_set() and not told_to_stop:
            process.terminate()
            told_to_stop = True
        try:
            watch.follow(run, read_status(_status_file(run)))
        except DatabaseError as error:
            # The recipe does not need the database; the next look is in a second, on a new connection.
            logger.warning("Run %s cannot be followed for now: %s", run.pk, error)
            connection.close()


def _status_file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "status.json"
