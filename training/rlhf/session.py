"""The processes at work on one run: device, threads, seeds, and the exact state that a resume continues from."""

import math
import os
import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from transformers.utils import logging as hf_logging

from training.contract.execute import RunStopped, StopFlag
from training.contract.metrics import MetricsWriter
from training.contract.run_dir import RunDir, RunError, publish_folder, write_atomically
from training.contract.spec import Spec
from training.contract.status import StatusWriter
from training.rlhf import distributed, sharding
from training.rlhf.tracking import Trackers


class HasState(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Session:
    """The state is one file, replaced atomically: a process killed at any instruction leaves the last one whole.

    It holds the tracked parts (models, optimizers, averages, controllers), the random number generators and the step.
    The order of the data is a function of seed and step (packing.shuffled), so that it needs no storing. Of several
    processes, process 0 writes, and all of them call every method alike.
    """

    def __init__(self, run: RunDir, spec: Spec, status: StatusWriter, stop: StopFlag) -> None:
        self.run, self.spec, self.status, self.stop = run, spec, status, stop
        if spec.threads > 0 or "OMP_NUM_THREADS" in os.environ:
            torch.set_num_threads(spec.threads or int(os.environ["OMP_NUM_THREADS"]))
        hf_logging.disable_progress_bar()  # log.txt is read by people
        hf_logging.set_verbosity_error()
        self.device = distributed.start()
        self.is_first = distributed.rank() == 0
        status.device(_name_of(self.device))
        if distributed.count() > 1:
            stop.listen()
        self._shards = sharding.is_asked_for()
        torch.manual_seed(run.seed)  # the same in all processes: they draw the same new weights
        self._parts: dict[str, HasState] = {}
        self._metrics: MetricsWriter | None = None
        self._trackers: Trackers | None = None

    @property
    def _file(self) -> Path:
        return self.run.state / "state.pt"

    def shard(self, *models: nn.Module) -> None:
        """Cut the models over the processes where FSDP is asked for; before optimizers are made of them."""
        if self._shards:
            for model in models:
                sharding.shard(model)

    def resume(self, **parts: HasState) -> int:
        """Track `parts`, load the saved state into them if there is one, and return its step (0: a new run)."""
        self._parts = parts
        step = 0
        if distributed.rank() > 0:
            torch.manual_seed(_seed_of(self.run.seed, distributed.rank()))  # from now on each draws its own dropout
        if self._file.exists():
            state = self._load()
            for name, part in parts.items():
                _restore(part, state["parts"][name])
            step = int(state["step"])
            self._restore_rng(state["rng"], step)
        if len(set(distributed.collect_objects(step))) > 1:
            raise RunError(f"The processes do not see the same {self._file}; they need one folder for the run.")
        if self.is_first:
            self._metrics = MetricsWriter(self.run.metrics, resumed_step=step)
            self._trackers = Trackers(self.run, resumed_step=step)
        distributed.wait()  # what process 0 cuts off metrics.jsonl is gone before another reads it
        return step

    def _load(self) -> dict[str, Any]:
        try:
            return torch.load(self._file, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError):
            raise RunError(f"The saved state {self._file} is damaged; without that file the run begins anew.") from None

    def _restore_rng(self, states: list[dict[str, Any]], step: int) -> None:
        """Each process its own; with more processes than before, the new ones begin with a new seed."""
        rank, count = distributed.rank(), distributed.count()
        if len(states) != count and self.is_first:
            warnings.warn(
                f"{len(states)} processes saved this state and {count} go on: the weights will be close to those of a "
                "run in as many as before, not equal to them.",
                stacklevel=2,
            )
        if rank < len(states):
            _set_rng_state(states[rank])
        else:
            torch.manual_seed(_seed_of(self.run.seed + step, rank))

    def save(self, step: int) -> None:
        check_weights(part for part in self._parts.values() if isinstance(part, nn.Module))
        state = {
            "step": step,
            "parts": {name: _state_of(part) for name, part in self._parts.items()},
            "rng": distributed.collect_objects(_rng_state(self.device)),
        }
        if self.is_first:
            write_atomically(self._file, lambda path: _write_state(state, path))
        distributed.wait()

    def asked_to_stop(self) -> bool:
        """Whether any process was: all of them agree."""
        return distributed.any_of(self.stop.requested)

    def after_step(self, step: int, total: int, unit: str = "step") -> None:
        """Report that `step` of `total` are done; save where it is due; save and leave where it is asked for.

        After the last step only the publishing is left, and a stop waits for it.
        """
        self.status.progress(step, total, unit)
        if step < total and self.asked_to_stop():
            self.save(step)
            raise RunStopped
        if self.spec.save_every and step % self.spec.save_every == 0 and step < total:
            self.save(step)

    def write_metrics(self, step: int, values: Mapping[str, float]) -> None:
        if self._metrics is not None and self._trackers is not None:  # process 0
            self._metrics.write(step, values)
            self._trackers.log(step, values)


def publish_checkpoint(run: RunDir, model: Any, tokenizer: Any) -> None:
    """Make checkpoint/: a folder that from_pretrained opens, tokenizer included; complete or not there."""
    check_weights([model])
    weights = sharding.gathered_weights(model)

    def write(folder: Path) -> None:
        model.save_pretrained(folder, state_dict=weights)
        tokenizer.save_pretrained(folder)

    if distributed.rank() == 0:
        publish_folder(run.checkpoint, write)
    distributed.wait()


def _name_of(device: torch.device) -> str:
    return f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)


def _state_of(part: Any) -> dict[str, Any]:
    return sharding.gathered_weights(part) if isinstance(part, nn.Module) else sharding.gathered(part.state_dict())


def _restore(part: Any, state: dict[str, Any]) -> None:
    if isinstance(part, nn.Module):
        sharding.load_model(part, state)
    elif isinstance(part, torch.optim.Optimizer):
        sharding.load_optimizer(part, state)
    else:
        part.load_state_dict(state)


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
            if not sharding.whole(parameter.isfinite()).all():
                raise RunError(
                    f"The weights of {name} are no longer finite; the learning rate may be too high. "
                    "Nothing saved is overwritten."
                )


def check_finite(value: float, name: str, step: int | None = None) -> None:
    """Stop before a broken loss or gradient reaches weights that get saved."""
    if not math.isfinite(value):
        when = "" if step is None else f" at step {step}"
        raise RunError(f"{name} is {value}{when}; the learning rate may be too high. Nothing saved is overwritten.")


def _seed_of(seed: int, rank: int) -> int:
    return seed + rank * 100_003


def _rng_state(device: torch.device) -> dict[str, Any]:
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def _set_rng_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
