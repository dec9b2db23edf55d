"""A run's warnings kept beside it: its curves are looked at while it is followed, and once when it ends."""

import logging
import time

from django.db import DatabaseError

from training import storage
from training.contract.status import read_status
from training.models import Run
from training.runs import sickness
from training.runs.curves import metrics_file
from training.runs.finding import Finding, Pulse
from training.runs.series import store

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0


def look(run: Run, *, is_running: bool) -> None:
    """Write down what the curves say now. A mistake of ours here must not end a run that is well."""
    try:
        rows = [finding._asdict() for finding in _findings(run, is_running=is_running)]
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The curves of run %s cannot be looked at.", run.pk)
        return
    if rows != run.warnings and Run.objects.filter(pk=run.pk, attempts=run.attempts).update(warnings=rows):
        run.warnings = rows


def _findings(run: Run, *, is_running: bool) -> list[Finding]:
    status = read_status(storage.run_folder(run.pk) / "status.json")
    pulse = Pulse(time.time(), is_running, status["heartbeat"] if status else None)
    return sickness.findings(store.of(metrics_file(run)).curves(), run.spec, pulse)
