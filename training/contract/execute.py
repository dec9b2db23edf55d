"""What happens around every recipe: argument, lock, status, signals, exit code. One sentence for every failure."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from training.contract import processes
from training.contract.rows import RowError
from training.contract.run_dir import RunBusy, RunDir, RunError, load_run, lock
from training.contract.spec import SpecError
from training.contract.specs import spec_from_dict
from training.contract.status import StatusWriter

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_STOPPED = 75  # saved, may be resumed
EXIT_BUSY = 76  # another process holds the folder

# By their texts, because the libraries that write weights raise errors of their own.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_MEMORY = ("can't allocate memory", "out of memory")  # torch on a CPU, torch on a GPU


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
    processes.end_with_the_launcher()
    stop = StopFlag()
    if processes.count() == 1:
        stop.listen()  # of many, none listens before all have met (Session): who waits for another hears no signal
    if processes.rank() > 0:
        return _leave(_work(path, recipe, work, stop, StatusWriter(None)))
    try:
        with lock(path):
            processes.Notes(path).clear()
            return _leave(_work(path, recipe, work, stop, StatusWriter(path / "status.json")))
    except RunBusy as error:
        print(error, file=sys.stderr)
        return EXIT_BUSY


def _work(path: Path, recipe: str, work: Work, stop: StopFlag, status: StatusWriter) -> int:
    spec = None
    if processes.count() > 1 and processes.rank() == 0:
        processes.Notes(path).watch(lambda sentence: _end_now(status, sentence))
    try:
        run = load_run(path, recipe)
        spec = spec_from_dict(recipe, run.spec)
        run.check_parents()
        result = work(run, spec, status, stop)
    except RunStopped:
        status.finish("stopped")
        if processes.rank() == 0:
            print("Stopped; the state is saved.", file=sys.stderr)
        return EXIT_STOPPED
    except (RunError, RowError, SpecError) as error:
        return _failed(path, status, str(error))
    except Exception as error:
        traceback.print_exc()  # the log keeps the trace, the page shows one sentence
        if not processes.is_loss(error):
            return _failed(path, status, _sentence(error, spec))
        if processes.rank() > 0:
            return _refuse("Another process of this run has failed, so this one ends too.")
        return _failed(path, status, processes.Notes(path).read(patience=3.0) or processes.LOST)
    status.finish("done", result=result)
    return EXIT_DONE


def _failed(path: Path, status: StatusWriter, sentence: str) -> int:
    """Say why: process 0 in status.json, another one in a note to process 0."""
    if processes.rank() > 0:
        processes.Notes(path).leave(sentence)
    # On a full disk the log has to do.
    with contextlib.suppress(OSError):
        status.finish("failed", error=sentence)
    return _refuse(sentence)


def _end_now(status: StatusWriter, sentence: str) -> NoReturn:
    """From another thread, while the main one waits for a fellow that is gone."""
    with contextlib.suppress(OSError):
        status.finish("failed", error=sentence)
    _refuse(sentence)
    os._exit(EXIT_FAILED)


def _leave(code: int) -> int:
    """One of several processes that does not end well leaves at once: tidying up could wait for its fellows."""
    if processes.count() > 1 and code != EXIT_DONE:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _sentence(error: Exception, spec: Any) -> str:
    """What the machine lacks, in words of what can be done about it; anything else is our mistake."""
    texts = [str(cause) for cause in _causes(error)]
    if any(os.strerror(code) in text for code in NO_ROOM for text in texts):
        return "The disk is full; nothing that was saved before is lost."
    if isinstance(error, MemoryError) or any(words in texts[0] for words in NO_MEMORY):
        name = "micro_batch_tokens" if hasattr(spec, "micro_batch_tokens") else "batch_size"
        return (
            f"The memory is not enough; a smaller {name} than {getattr(spec, name, 'now')} needs less, "
            "and nothing that was saved before is lost."
        )
    return f"{error}." if isinstance(error, OSError) else f"{type(error).__name__}: {error}"[:500]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those before it: torch's writer, failing on a full disk, raises another while it cleans up."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return EXIT_FAILED
