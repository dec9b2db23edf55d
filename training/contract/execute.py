"""What happens around every recipe: argument, lock, status, signals, exit code. One sentence for every failure."""

import argparse
import errno
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from training.contract.rows import RowError
from training.contract.run_dir import RunBusy, RunDir, RunError, load_run, lock
from training.contract.spec import SpecError
from training.contract.specs import spec_from_dict
from training.contract.status import StatusWriter

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_STOPPED = 75  # saved, may be resumed
EXIT_BUSY = 76  # another process holds the folder


class RunStopped(Exception):
    """SIGTERM came and the state is saved."""


class StopFlag:
    """Set by SIGTERM (and Ctrl-C); recipes look at it between steps, save, and raise RunStopped."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """From now on SIGTERM and SIGINT ask for a stop and no longer end the process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


Work = Callable[[RunDir, Any, StatusWriter, StopFlag], dict[str, Any]]


def execute(recipe: str, work: Work, arguments: Sequence[str] | None = None) -> int:
    """Run `work` on the folder named in the arguments (default: the command line's) and return the exit code.

    `work(run, spec, status, stop)` returns the result: plain numbers and texts.
    """
    parser = argparse.ArgumentParser(prog=f"python -m training.recipes.{recipe}")
    parser.add_argument("--run-dir", type=Path, required=True, help="the run folder, with its run.json")
    path: Path = parser.parse_args(arguments).run_dir
    if not path.is_dir():
        return _refuse(f"There is no run folder {path}.")
    stop = StopFlag()
    stop.listen()
    try:
        with lock(path):
            return _execute_locked(path, recipe, work, stop)
    except RunBusy as error:
        print(error, file=sys.stderr)
        return EXIT_BUSY


def _execute_locked(path: Path, recipe: str, work: Work, stop: StopFlag) -> int:
    status = StatusWriter(path / "status.json")
    try:
        run = load_run(path, recipe)
        result = work(run, spec_from_dict(recipe, run.spec), status, stop)
    except RunStopped:
        status.finish("stopped")
        print("Stopped; the state is saved.", file=sys.stderr)
        return EXIT_STOPPED
    except (RunError, RowError, SpecError) as error:
        status.finish("failed", error=str(error))
        return _refuse(str(error))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        sentence = "The disk is full; nothing that was saved before is lost." if full else f"{error}."
        traceback.print_exc()
        _finish_if_possible(status, sentence)
        return EXIT_FAILED
    except Exception as error:
        # Anything else is our mistake: the log keeps the trace, the page shows the last line of it.
        traceback.print_exc()
        status.finish("failed", error=f"{type(error).__name__}: {error}"[:500])
        return EXIT_FAILED
    status.finish("done", result=result)
    return EXIT_DONE


def _finish_if_possible(status: StatusWriter, sentence: str) -> None:
    try:
        status.finish("failed", error=sentence)
    except OSError:
        print(sentence, file=sys.stderr)


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return EXIT_FAILED
