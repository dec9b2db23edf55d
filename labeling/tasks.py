"""Celery's doorbells for the labeling half. Each makes one call and may be rung twice or not at all."""

from celery import shared_task

from labeling.agreement import consensus_report
from labeling.judging import advance as judging
from labeling.queue import dispatch
from labeling.rounds import advance


@shared_task
def sweep_leases() -> None:
    dispatch.sweep()


@shared_task
def advance_rounds() -> None:
    advance.advance_all()
    judging.advance_all()


@shared_task
def compute_consensus() -> None:
    consensus_report.compute()
