"""The curves of a run in trackers too: TensorBoard, MLflow, W&B and what else accelerate knows.

A matter of the machine and not of the run: the environment variable PODIUM_TRACKERS names them, as "tensorboard" or
"tensorboard,mlflow". metrics.jsonl is the record; a tracker that fails is left out and ends no training.
"""

import atexit
import os
import warnings
from collections.abc import Mapping
from typing import Any

from accelerate.tracking import LOGGER_TYPE_TO_CLASS, get_available_trackers  # type: ignore[import-untyped]

from training.contract.run_dir import RunDir, RunError

VARIABLE = "PODIUM_TRACKERS"
PROJECT = "podium"


class Trackers:
    def __init__(self, run: RunDir, resumed_step: int = 0) -> None:
        """Open those that are named. Raises RunError for one that accelerate does not know or that is not installed."""
        self._open: dict[str, Any] = {}
        for name in filter(None, (part.strip().lower() for part in os.environ.get(VARIABLE, "").split(","))):
            tracker = _tracker_class(name)(*_arguments(name, run), **_options(name, resumed_step))
            tracker.start()
            if resumed_step == 0:
                tracker.store_init_configuration(_settings(run))
            self._open[name] = tracker
        if self._open:
            atexit.register(self._finish)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """The row of metrics.jsonl."""
        for name, tracker in list(self._open.items()):
            try:
                tracker.log(dict(values), step=step)
            except Exception as error:  # whatever a server's client raises
                warnings.warn(f"{name} fails and is left out from step {step} on: {error}", stacklevel=2)
                del self._open[name]

    def _finish(self) -> None:
        for tracker in self._open.values():
            tracker.finish()


def _tracker_class(name: str) -> Any:
    known = {str(kind): tracker for kind, tracker in LOGGER_TYPE_TO_CLASS.items()}
    if name not in known:
        raise RunError(f"{VARIABLE} names '{name}'; accelerate knows {', '.join(sorted(known))}.")
    if name not in map(str, get_available_trackers()):
        raise RunError(f"{VARIABLE} names '{name}', which is not installed here.")
    return known[name]


def _arguments(name: str, run: RunDir) -> list[str]:
    """The run's name and, for trackers that write files, where: below the run folder."""
    if name == "tensorboard":
        return [run.run_id, str(run.path / "trackers" / name)]
    folder = [str(run.path / "trackers" / name)] if LOGGER_TYPE_TO_CLASS[name].requires_logging_directory else []
    return [PROJECT, *folder]


def _options(name: str, resumed_step: int) -> dict[str, Any]:
    """TensorBoard forgets the rows that the resumed run writes again."""
    return {"purge_step": resumed_step + 1} if name == "tensorboard" and resumed_step else {}


def _settings(run: RunDir) -> dict[str, Any]:
    plain = {name: value for name, value in run.spec.items() if isinstance(value, bool | int | float | str)}
    return {"recipe": run.recipe, "run_id": run.run_id, "seed": run.seed, **plain}
