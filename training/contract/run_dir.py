"""A run folder: what a recipe is given (run.json), where it writes, and the lock that keeps it to one process.

    $ARTIFACT_ROOT/runs/<run id>/
        run.json status.json metrics.jsonl samples.jsonl state/ log.txt lock adapter/ checkpoint/

The artifact root is the folder's grandparent; every path in run.json is relative to it, so that root and all can be
copied to another machine and back.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.contract.checkpoint import damage


class RunError(Exception):
    """The run cannot go on, in one sentence for the person who started it."""


class RunBusy(RunError):
    """Another process holds the run folder."""


@dataclass(frozen=True)
class RunDir:
    path: Path
    run_id: str
    recipe: str
    seed: int
    spec: dict[str, Any]
    inputs: dict[str, dict[str, str]]
    parents: dict[str, dict[str, str]]

    @property
    def root(self) -> Path:
        """The artifact root, two folders up."""
        return self.path.parent.parent

    @property
    def metrics(self) -> Path:
        """The file of curves, append-only."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """The file of texts that the run sampled: rows of kind completions."""
        return self.path / "samples.jsonl"

    @property
    def state(self) -> Path:
        """The folder with what an exact resume needs."""
        return self.path / "state"

    @property
    def adapter(self) -> Path:
        """The folder of low-rank adapters that `PeftModel.from_pretrained` opens, where the run trained some."""
        return self.path / "adapter"

    @property
    def checkpoint(self) -> Path:
        """The folder of weights and tokenizer that `from_pretrained` opens."""
        return self.path / "checkpoint"

    def has_input(self, name: str) -> bool:
        """Whether run.json names such a dataset; it may still be missing on disk."""
        return name in self.inputs

    def input(self, name: str) -> Path:
        """The input's file, its digest verified. Raises RunError where it is missing or has changed."""
        if name not in self.inputs:
            raise RunError(f"The {self.recipe} run needs the input '{name}', and run.json names none.")
        entry = self.inputs[name]
        path = self._inside(entry["path"])
        if not path.is_file():
            raise RunError(f"The input '{name}' is missing: {entry['path']} is not below {self.root}.")
        found = sha256_of(path)
        if found != entry["sha256"]:
            raise RunError(
                f"The input '{name}' ({entry['path']}) has changed: its SHA-256 is {found[:12]}…, "
                f"run.json says {entry['sha256'][:12]}…."
            )
        return path

    def has_parent(self, name: str) -> bool:
        """Whether run.json names such a checkpoint; it may still be missing on disk."""
        return name in self.parents

    def parent(self, name: str) -> Path:
        """The parent's checkpoint folder. Raises RunError where it, or a file of it, is missing or damaged."""
        if name not in self.parents:
            raise RunError(f"The {self.recipe} run needs the parent '{name}', and run.json names none.")
        entry = self.parents[name]
        path = self._inside(entry["path"])
        if not (path / "config.json").is_file():
            raise RunError(f"The parent '{name}' is missing: there is no checkpoint in {entry['path']}.")
        if problem := damage(path):
            raise RunError(f"The parent '{name}' is damaged: {entry['path']}/{problem}.")
        return path

    def check_parents(self) -> None:
        """Look at every checkpoint that run.json names: none shall turn out damaged an hour later. Raises RunError."""
        for name in self.parents:
            self.parent(name)

    def _inside(self, relative: str) -> Path:
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise RunError(f"The path {relative} in run.json leads out of the artifact root.")
        return path


def load_run(path: Path, recipe: str) -> RunDir:
    """Read run.json. Raises RunError where it is missing, broken or for another recipe."""
    file = path / "run.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"There is no run.json in {path}.") from None
    except ValueError as error:
        raise RunError(f"{file} is not JSON: {error}.") from None
    for name, kind in (("run_id", str), ("recipe", str), ("seed", int), ("spec", dict)):
        if not isinstance(data.get(name), kind):
            raise RunError(f"{file} has no usable '{name}'.")
    if data["recipe"] != recipe:
        raise RunError(f"{file} is a {data['recipe']} run; this is the recipe {recipe}.")
    return RunDir(
        path=path.resolve(),
        run_id=data["run_id"],
        recipe=recipe,
        seed=data["seed"],
        spec=data["spec"],
        inputs=data.get("inputs", {}),
        parents=data.get("parents", {}),
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the run folder. The kernel drops the lock with the process, however it ends. Raises RunBusy at once."""
    with (path / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunBusy(f"Another process is working on the run in {path}.") from None
        yield


def is_held(path: Path) -> bool:
    """Whether a living process holds the run folder."""
    try:
        with lock(path):
            return False
    except RunBusy:
        return True


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill a temporary file beside `path`, make it durable, then rename it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    write(temporary)
    _fsync(temporary)
    temporary.replace(path)
    _fsync(path.parent)


def publish_folder(final: Path, write: Callable[[Path], None]) -> None:
    """Have `write` fill `<final>.tmp`, make it durable, then rename: `final` is complete or it is not there.

    A folder cannot be renamed over a full one, so an earlier `final` (of a run killed between publishing and saying
    so) is moved aside first. Where `write` fails, nothing of it is left: on a full disk, status.json needs the room.
    """
    temporary, aside = final.with_name(final.name + ".tmp"), final.with_name(final.name + ".old")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        write(temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    for file in temporary.rglob("*"):
        _fsync(file)
    _fsync(temporary)
    shutil.rmtree(aside, ignore_errors=True)
    if final.exists():
        final.rename(aside)
    temporary.rename(final)
    _fsync(final.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
