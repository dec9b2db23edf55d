"""status.json: what the running recipe says about itself. Written only by the recipe, atomically."""

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any, TypedDict

from training.contract import processes

HEARTBEAT_SECONDS = 2.0


class Status(TypedDict):
    state: str  # running | done | failed | stopped
    stage: str
    step: int
    total: int
    unit: str
    error: str | None
    heartbeat: float  # seconds since the epoch, at most HEARTBEAT_SECONDS or so old while the process lives
    started_at: float
    eta_seconds: float | None
    pid: int
    host: str
    processes: int  # that work on the run, this one included
    device: str  # as torch names it; empty until the recipe says so
    result: dict[str, Any] | None


class StatusWriter:
    """Keeps status.json true. A thread renews the heartbeat, so that a long step does not look like a dead process.

    Without a path it writes nothing: of a run's processes, one alone does.
    """

    def __init__(self, path: Path | None) -> None:
        now = time.time()
        self._path = path
        self._guard = threading.Lock()
        self._finished = threading.Event()
        self._anchor: tuple[float, int] | None = None  # when and at which step the loop began: the rate for the ETA
        self._status = Status(
            state="running",
            stage="starting",
            step=0,
            total=0,
            unit="step",
            error=None,
            heartbeat=now,
            started_at=now,
            eta_seconds=None,
            pid=os.getpid(),
            host=socket.gethostname(),
            processes=processes.count(),
            device="",
            result=None,
        )
        self._write()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def stage(self, stage: str) -> None:
        with self._guard:
            self._status["stage"] = stage

    def device(self, device: str) -> None:
        with self._guard:
            self._status["device"] = device

    def progress(self, step: int, total: int, unit: str) -> None:
        """`step` of `total` are done. The first call anchors the estimate of the time left, also after a resume."""
        now = time.time()
        with self._guard:
            self._status.update({"step": step, "total": total, "unit": unit})
            if self._anchor is None:
                self._anchor = (now, step)
            began, first = self._anchor
            if step > first:
                self._status["eta_seconds"] = round((total - step) * (now - began) / (step - first), 1)
            if now - self._status["heartbeat"] >= 0.5:  # a fast loop does not write the file at every step
                self._write()

    def finish(self, state: str, error: str | None = None, result: dict[str, Any] | None = None) -> None:
        self._finished.set()
        self._thread.join()
        with self._guard:
            self._status.update({"state": state, "error": error, "result": result, "eta_seconds": None})
            self._write()

    def _beat(self) -> None:
        while not self._finished.wait(HEARTBEAT_SECONDS):
            # A full disk must not end the thread: there may be room again at the next beat.
            with self._guard, contextlib.suppress(OSError):
                self._write()

    def _write(self) -> None:
        self._status["heartbeat"] = time.time()
        if self._path is None:
            return
        temporary = self._path.with_name(self._path.name + ".tmp")
        temporary.write_text(json.dumps(self._status), encoding="utf-8")
        temporary.replace(self._path)


def read_status(path: Path) -> Status | None:
    """The status of a run folder's status.json, or None while there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None
