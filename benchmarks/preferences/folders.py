"""An artifact root for the benchmark: run folders as the boundary on disk wants them, and recipes as processes."""

import bisect
import contextlib
import hashlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from training.contract.metrics import read_metrics
from training.contract.rows import write_rows
from training.contract.run_dir import sha256_of, write_atomically
from training.contract.status import read_status

CHECKOUT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.05


class Seconds(NamedTuple):
    """What training took."""

    cpu: float
    wall: float

    def of_all(self, steps: int, timed: int | None = None) -> "Seconds":
        """From the end of the first of `timed` steps (all) to the end of the last, as time for all: the first, in
        which torch warms up and the trainer still prepares, is taken to cost the mean of the others."""
        return Seconds(*(value * steps / ((timed or steps) - 1) for value in self))


class Finished(NamedTuple):
    result: dict[str, Any]  # what the recipe put into status.json
    training: Seconds
    steps: int


class Root:
    """The folder of datasets and runs. Names are made of the contents, so that work that is done is found again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def dataset(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """The rows as a dataset file, named after what it holds."""
        temporary = self.path / "datasets" / f"{kind}-{os.getpid()}.jsonl"
        write_rows(temporary, kind, rows)
        return temporary.replace(temporary.with_name(f"{kind}-{sha256_of(temporary)[:12]}.jsonl"))

    def run(
        self,
        recipe: str,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Path],
        parents: Mapping[str, Path] | None = None,
        seed: int = 1,
    ) -> Path:
        """A run folder with its run.json; the same arguments give the same folder. `parents` are run folders."""
        description: dict[str, Any] = {
            "recipe": recipe,
            "seed": seed,
            "spec": dict(spec),
            "inputs": {
                name: {"path": str(path.relative_to(self.path)), "sha256": sha256_of(path)}
                for name, path in inputs.items()
            },
            "parents": {
                name: {"path": f"runs/{folder.name}/checkpoint", "run_id": folder.name}
                for name, folder in (parents or {}).items()
            },
        }
        run_id = f"{recipe}-{digest(description)}"
        folder = self.path / "runs" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "run.json").exists():
            description |= {"run_id": run_id, "code_version": "", "created_at": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            write_atomically(folder / "run.json", lambda path: _write(path, json.dumps(description)))
        return folder


def digest(description: Any) -> str:
    """Twelve characters that stand for a description that JSON can hold."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]


def finish(folder: Path) -> Finished:
    """Run the recipe of the folder to its end, on one thread, as a process.

    Raises RuntimeError with the recipe's sentence where it fails.
    """
    recipe = json.loads((folder / "run.json").read_text())["recipe"]
    command = [sys.executable, "-m", f"training.recipes.{recipe}", "--run-dir", str(folder)]
    with (folder / "log.txt").open("a") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=log, env=one_thread())
        clock = _watch(process)
    status = read_status(folder / "status.json")
    if process.returncode or status is None or status["result"] is None:
        said = (status["error"] if status else None) or f"exit code {process.returncode}"
        raise RuntimeError(f"The recipe {recipe} failed: {said} (see {folder / 'log.txt'})")
    rows, _ = read_metrics(folder / "metrics.jsonl")
    steps = [row for row in rows if "loss/train" in row]
    return Finished(status["result"], time_of_all(clock, [row["time"] for row in steps]), len(steps))


def one_thread() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def _watch(process: "subprocess.Popen[bytes]") -> list[tuple[float, float]]:
    """(time, CPU seconds so far), again and again until the process ends."""
    clock = []
    with contextlib.suppress(psutil.Error):  # it has ended
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            spent = watched.cpu_times()
            clock.append((time.time(), spent.user + spent.system))
            time.sleep(POLL_SECONDS)
    process.wait()
    return clock


def time_of_all(clock: Sequence[tuple[float, float]], ends: Sequence[float]) -> Seconds:
    """What all steps took, by those that ended while the process of `clock` lived: a run that goes on has older ones.

    Not a number where fewer than two did.
    """
    own = [end for end in ends if end >= clock[0][0]]
    if len(own) < 2:
        return Seconds(math.nan, math.nan)
    return seconds_between(clock, own[0], own[-1]).of_all(len(ends), len(own))


def seconds_between(clock: Sequence[tuple[float, float]], begin: float, end: float) -> Seconds:
    """The seconds between two times at which the process was alive."""
    return Seconds(_cpu_at(clock, end) - _cpu_at(clock, begin), end - begin)


def _cpu_at(clock: Sequence[tuple[float, float]], moment: float) -> float:
    """CPU seconds at a moment, between the two readings around it."""
    after = min(max(bisect.bisect(clock, (moment, 0.0)), 1), len(clock) - 1)
    (t0, cpu0), (t1, cpu1) = clock[after - 1], clock[after]
    return cpu0 + (cpu1 - cpu0) * (moment - t0) / (t1 - t0)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
