"""Which labels went into which frozen dataset, and whose are left out of the next ones."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Export(models.Model):
    """One freezing: a filter over the database turned into an immutable file. The file's rows carry the label ids."""

    dataset = models.ForeignKey("training.Dataset", on_delete=models.PROTECT, related_name="exports")
    filters = models.JSONField(default=dict, help_text="What was asked for: batches, split, cohort …")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.dataset)


class Exclusion(models.Model):
    """A labeler whose labels are left out of datasets frozen from now on, and why. No label is deleted by it."""

    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="exclusions")
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="exclusions_made")
    made_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="exclusions_lifted"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["labeler"], condition=Q(lifted_at=None), name="one_exclusion_a_labeler"),
            models.CheckConstraint(condition=~Q(reason=""), name="exclusion_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.labeler} is left out: {self.reason}"


class LabelerRows(models.Model):
    """How many rows of a frozen dataset are one labeler's, counted when it is frozen (`whose.py`)."""

    dataset = models.ForeignKey("training.Dataset", on_delete=models.PROTECT, related_name="labeler_rows")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="dataset_rows")
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "labeler"], name="labeler_rows_once")]

    def __str__(self) -> str:
        return f"{self.rows} of {self.labeler_id} in {self.dataset_id}"
