"""The app `labeling`: people and judgements."""

from typing import Any

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "labeling"
    verbose_name = "Labeling"

    def ready(self) -> None:
        from training.runs.signals import run_ended

        run_ended.connect(_advance_rounds, dispatch_uid="labeling.advance_rounds")


def _advance_rounds(**_: Any) -> None:
    """A round need not wait for beat to learn that one of its runs has ended."""
    from training.doorbell import ring

    ring("labeling.tasks.advance_rounds")
