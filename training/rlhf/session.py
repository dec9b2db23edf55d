"""One process at work on one run: device, threads, seeds, and the exact state that a resume continues from."""

import math
import os
import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import PartialState  # type: ignore[import-untyped]
from torch import nn
from transformers.utils import logging as hf_logging

from training.contract.execute import RunStopped, StopFlag
from training.contract.metrics import MetricsWriter
from training.contract.run_dir import RunDir, RunError, publish_folder, write_atomically
from training.contract.spec import Spec
from training.contract.status import StatusWriter


class HasState(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Session:
    """The state is one file, replaced atomically: a process killed at any instruction leaves the last one whole.

    It holds the tracked parts (models, optimizers, averages, controllers), the random number generators and the step.
    The order of the data is a function of seed and step (packing.shuffled), so that it needs no storing.
    """

    def __init__(self, run: RunDir, spec: Spec, status: StatusWriter, stop: StopFlag) -> None:
        self.run, self.spec, self.status, self.stop = run, spec, status, stop
        if spec.threads > 0 or "OMP_NUM_THREADS" in os.environ:
            torch.set_num_threads(spec.threads or int(os.environ["OMP_NUM_THREADS"]))
        hf_logging.disable_progress_bar()  # log.txt is read by people
        hf_logging.set_verbosity_error()
        placement = PartialState()
        if placement.num_processes > 1:
            raise RunError(f"This recipe runs in one process; {placement.num_processes} were launched.")
        self.device = placement.device
        torch.manual_seed(run.seed)
        self._parts: dict[str, HasState] = {}
        self._metrics: MetricsWriter | None = None

    @property
    def _file(self) -> Path:
        return self.run.state / "state.pt"

    def resume(self, **parts: HasState) -> int:
        """Track `parts`, load the saved state into them if there is one, and return its step (0: a new run)."""
        self._parts = parts
        step = 0
        if self._file.exists():
            state = self._load()
            for name, part in parts.items():
                part.load_state_dict(state["parts"][name])
            _set_rng_state(state["rng"])
            step = int(state["step"])
        self._metrics = MetricsWriter(self.run.metrics, resumed_step=step)
        return step

    def _load(self) -> dict[str, Any]:
        try:
            return torch.load(self._file, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError):
            raise RunError(f"The saved state {self._file} is damaged; without that file the run begins anew.") from None

    def save(self, step: int) -> None:
        state = {
            "step": step,
            "parts": {name: part.state_dict() for name, part in self._parts.items()},
            "rng": _rng_state(),
        }
        check_weights(part for part in self._parts.values() if isinstance(part, nn.Module))
        write_atomically(self._file, lambda path: _write_state(state, path))

    def after_step(self, step: int, total: int, unit: str = "step") -> None:
        """Report that `step` of `total` are done; save where it is due; save and leave where it is asked for.

        After the last step only the publishing is left, and a stop waits for it.
        """
        self.status.progress(step, total, unit)
        if self.stop.requested and step < total:
            self.save(step)
            raise RunStopped
        if self.spec.save_every and step % self.spec.save_every == 0 and step < total:
            self.save(step)

    def write_metrics(self, step: int, values: Mapping[str, float]) -> None:
        assert self._metrics is not None  # resume() comes first in every recipe
        self._metrics.write(step, values)


def publish_checkpoint(run: RunDir, model: Any, tokenizer: Any) -> None:
    """Make checkpoint/: a folder that from_pretrained opens, tokenizer included; complete or not there."""

    def write(folder: Path) -> None:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    check_weights([model])
    publish_folder(run.checkpoint, write)


def _write_state(state: dict[str, Any], path: Path) -> None:
    """Into a file of Python's: writing to a path, torch would not say that the disk is full."""
    try:
        with path.open("wb") as file:
            torch.save(state, file)
    except BaseException:
        path.unlink(missing_ok=True)  # room for status.json on a full disk
        raise


def check_weights(models: Iterable[nn.Module]) -> None:
    """Refuse to save what nothing could go on from: a step may break the weights after its loss was still finite."""
    for model in models:
        for name, parameter in model.named_parameters():
            if not parameter.isfinite().all():
                raise RunError(
                    f"The weights of {name} are no longer finite; the learning rate may be too high. "
                    "Nothing saved is overwritten."
                )


def check_finite(value: float, name: str, step: int | None = None) -> None:
    """Stop before a broken loss or gradient reaches weights that get saved."""
    if not math.isfinite(value):
        when = "" if step is None else f" at step {step}"
        raise RunError(f"{name} is {value}{when}; the learning rate may be too high. Nothing saved is overwritten.")


def _rng_state() -> dict[str, Any]:
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_rng_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        if len(state["cuda"]) != torch.cuda.device_count():
            warnings.warn("The number of GPUs has changed: dropout after the resume will differ.", stacklevel=2)
            return
        torch.cuda.set_rng_state_all(state["cuda"])
