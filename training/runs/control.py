"""Stop a run and have it go on. The request stands in its row; the worker that follows it looks there every second."""

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from training.runs import watch
from training.runs.models import Run, RunRequest
from training.runs.signals import run_ended


def stop(run: Run, by: Model | None = None) -> bool:
    """Ask a run to stop. False where it is neither queued nor running (any more).

    A queued run is stopped at once. The recipe of a running one is told by its worker (SIGTERM) to save and leave; the
    row says stopped when it has, or done where it ended by itself meanwhile. To ask twice is the same as once.
    """
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        if not row.is_live:
            return False
        if row.stop_requested_at is None:
            row.stop_requested_at = timezone.now()
            row.requests.create(verb=RunRequest.Verb.STOP, by_id=by.pk if by else None, at=row.stop_requested_at)
        if row.state == Run.State.QUEUED:
            row.state, row.finished_at = Run.State.STOPPED, row.stop_requested_at
            transaction.on_commit(lambda: _tell(row))
        row.save(update_fields=["state", "stop_requested_at", "finished_at"])
    run.refresh_from_db()
    return True


def resume(run: Run, by: Model | None = None) -> bool:
    """Queue a stopped run; it goes on from its saved state. False where it is not stopped (any more)."""
    with transaction.atomic():
        is_queued = Run.objects.filter(pk=run.pk, state=Run.State.STOPPED).update(
            state=Run.State.QUEUED,
            stop_requested_at=None,
            finished_at=None,
            rung_at=None,
            futile_attempts=0,
        )
        if is_queued:
            run.requests.create(verb=RunRequest.Verb.RESUME, by_id=by.pk if by else None)
            transaction.on_commit(lambda: watch.ring_run(run), robust=True)
    run.refresh_from_db()
    return bool(is_queued)


def _tell(run: Run) -> None:
    run_ended.send_robust(sender=Run, run=run)
