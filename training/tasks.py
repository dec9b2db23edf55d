"""Celery's doors to the training half: an id in, one call, nothing out."""

from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_shutting_down

from training.runs import launch, watch


@shared_task
def execute_run(run_id: str) -> None:
    launch.execute(UUID(run_id))


@shared_task
def watch_runs() -> None:
    watch.watch_runs()


@worker_shutting_down.connect
def _stop_recipes(**_: Any) -> None:
    """The recipes of this worker save and stop, rather than holding up its end for hours."""
    launch.stopping.set()
