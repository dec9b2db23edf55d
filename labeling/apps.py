"""The app `labeling`: people and judgements."""

from typing import Any

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "labeling"
    verbose_name = "Labeling"

    def ready(self) -> None:
        from labeling.labelers.signals import stopped_work
        from training.runs.signals import run_ended

        run_ended.connect(_advance_rounds, dispatch_uid="labeling.advance_rounds")
        stopped_work.connect(_put_down, dispatch_uid="labeling.put_down")


def _advance_rounds(**_: Any) -> None:
    """A round need not wait for beat to learn that one of its runs has ended."""
    from training.doorbell import ring

    ring("labeling.tasks.advance_rounds")


def _put_down(labeler: Any, **_: Any) -> None:
    """Whoever is paused or leaves holds nothing in the queue: others may go on with it."""
    from labeling.queue import dispatch

    dispatch.put_down(labeler)
