"""One run in several processes: what a process knows of its fellows before any library is loaded.

A launcher (`accelerate launch`, `torchrun`) starts the same command N times and says in the environment which is which.
Process 0 alone holds the lock and writes the run folder. Another that fails leaves a note there, from which process 0
learns why its fellow is gone: a collective operation would only tell it that a connection was closed.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LEASH = "PODIUM_LEASH"
LOST = (
    "Another process of this run ended without a word (killed, or out of memory?); "
    "the run can go on from its last saved state."
)
# How the libraries of collective operations say that a fellow is gone.
_GONE = ("connection closed by", "connection reset by", "broken pipe", "gloo", "nccl", "socket")


def rank() -> int:
    """Which of the processes this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """How many processes work on the run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def end_with_the_launcher() -> None:
    """Be asked to stop (SIGTERM) when the launcher dies, however it dies: nobody else would end an orphan.

    The web application's worker says by LEASH that there is one, where it asks for a single process too.
    """
    if (count() > 1 or LEASH in os.environ) and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def is_loss(error: Exception) -> bool:
    """Whether the error only says that another process is gone."""
    return count() > 1 and isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _GONE)


class Notes:
    """Why processes other than 0 failed: a small file each, in the run folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> None:
        """Forget those of an earlier start; by process 0, before the others can have failed on their own."""
        for note in self._folder.glob("failed-*.txt"):
            note.unlink(missing_ok=True)

    def leave(self, sentence: str) -> None:
        """Say why this process failed, where the others look."""
        with contextlib.suppress(OSError):  # on a full disk process 0 says so itself
            temporary = self._folder / f".failed-{rank()}.tmp"
            temporary.write_text(sentence, encoding="utf-8")
            temporary.replace(self._folder / f"failed-{rank()}.txt")

    def read(self, patience: float = 0.0) -> str | None:
        """The sentence of the first process that failed, waiting so many seconds for one."""
        deadline = time.monotonic() + patience
        while True:
            found = sorted(self._folder.glob("failed-*.txt"), key=lambda note: note.stat().st_mtime)
            if found:
                return found[0].read_text(encoding="utf-8")
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.1)

    def watch(self, fail: Callable[[str], None], patience: float = 10.0) -> None:
        """Call `fail(sentence)` from a thread where a note is there and this process does not end by itself.

        Waiting for a fellow that is gone, a GPU's collective operations hang rather than fail.
        """

        def look() -> None:
            while (sentence := self.read()) is None:
                time.sleep(0.5)
            time.sleep(patience)
            fail(sentence)

        threading.Thread(target=look, daemon=True).start()
