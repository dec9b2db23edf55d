"""A labeler's wish to be erased, and how it was carried out: who, when, why."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Choice(models.TextChoices):
    """What becomes of the labels. Datasets that are frozen keep theirs either way."""

    KEEP = "keep", "My labels stay in use, under the pseudonym"
    WITHDRAW = "withdraw", "My labels are withdrawn from future datasets"


class Erasure(models.Model):
    """Asked for, then taken back or carried out; the row stays as the record of it."""

    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="erasures")
    wish = models.CharField(max_length=8, choices=Choice)
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="erasures_asked")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="erasures_done"
    )
    choice = models.CharField(max_length=8, choices=Choice, blank=True)
    why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["labeler"], condition=Q(cancelled_at=None), name="erasure_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(done_at=None, choice="")
                | Q(done_at__isnull=False, done_by__isnull=False, choice__in=Choice.values),
                name="erasure_done_by_somebody",
            ),
            models.CheckConstraint(condition=Q(done_at=None) | Q(cancelled_at=None), name="erasure_done_or_cancelled"),
        ]

    def __str__(self) -> str:
        return f"{self.labeler_id}: {self.wish}"
