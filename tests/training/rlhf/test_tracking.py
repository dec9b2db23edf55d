"""Trackers beside metrics.jsonl; TensorBoard for real, read back by its own reader."""

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.contract.run_dir import RunDir, RunError
from training.rlhf import tracking
from training.rlhf.tracking import Trackers


def run_in(folder: Path) -> RunDir:
    return RunDir(folder, "r1", "sft", 7, {"lr": 0.1, "samples_by_policy": {"policy": 2}}, {}, {})


def curve(folder: Path, name: str) -> list[tuple[int, float]]:
    read = EventAccumulator(str(folder / "trackers" / "tensorboard" / "r1"))
    read.Reload()
    return [(event.step, round(event.value, 6)) for event in read.Scalars(name)]


def test_without_the_variable_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracking.VARIABLE, raising=False)
    Trackers(run_in(tmp_path)).log(1, {"loss/train": 2.0})
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_has_every_step_once_after_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.VARIABLE, "tensorboard")
    first = Trackers(run_in(tmp_path))
    for step in range(1, 6):
        first.log(step, {"loss/train": 10.0 - step})
    resumed = Trackers(run_in(tmp_path), resumed_step=3)  # killed after step 5, saved at step 3
    for step in range(4, 7):
        resumed.log(step, {"loss/train": 10.0 - step})
    assert curve(tmp_path, "loss/train") == [(step, 10.0 - step) for step in range(1, 7)]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("tensorboard,tensorbord", "PODIUM_TRACKERS names 'tensorbord'; accelerate knows aim, "),
        ("wandb", "PODIUM_TRACKERS names 'wandb', which is not installed here."),
    ],
)
def test_a_tracker_that_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, sentence: str
) -> None:
    monkeypatch.setenv(tracking.VARIABLE, names)
    monkeypatch.setattr(tracking, "get_available_trackers", lambda: ["tensorboard"])
    with pytest.raises(RunError) as refusal:
        Trackers(run_in(tmp_path))
    assert str(refusal.value).startswith(sentence)


def test_a_tracker_that_fails_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.VARIABLE, "tensorboard")
    trackers = Trackers(run_in(tmp_path))

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(trackers._open["tensorboard"], "log", refuse)
    with pytest.warns(UserWarning, match="tensorboard fails and is left out from step 1 on: no route to host"):
        trackers.log(1, {"loss/train": 2.0})
    trackers.log(2, {"loss/train": 1.0})
