"""Stop a run and have it go on."""

from django.db import transaction
from django.db.models import Model

from training.runs import watch
from training.runs.models import Run


def stop(run: Run, by: Model | None = None) -> bool:
    """Ask a run to stop. False where it is neither queued nor running (any more)."""
    stopped = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(state=Run.State.STOPPED)
    return bool(stopped) or Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).exists()


def resume(run: Run, by: Model | None = None) -> bool:
    """Queue a stopped run; it goes on from its saved state. False where it is not stopped (any more)."""
    queued = Run.objects.filter(pk=run.pk, state=Run.State.STOPPED).update(state=Run.State.QUEUED, rung_at=None)
    if queued:
        transaction.on_commit(lambda: watch.ring_run(run), robust=True)
    return bool(queued)
