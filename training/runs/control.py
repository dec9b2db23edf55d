"""Stopping a run, and taking a stopped one up again."""

from django.db import transaction
from django.utils import timezone

from training.runs import watch
from training.runs.models import Run


def stop(run: Run) -> bool:
    """A queued run is stopped at once; False where it is not queued (any more)."""
    queued = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED)
    return bool(queued.update(state=Run.State.STOPPED, finished_at=timezone.now()))


def resume(run: Run) -> bool:
    """Queue a stopped run again; it goes on from its saved state. False where it is not stopped (any more)."""
    stopped = Run.objects.filter(pk=run.pk, state=Run.State.STOPPED)
    changed = stopped.update(state=Run.State.QUEUED, finished_at=None, rung_at=None)
    if changed:
        transaction.on_commit(lambda: watch.ring_run(run), robust=True)
    return bool(changed)
