"""Which labels went into which frozen dataset."""

from django.db import models
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


class LabelerRows(models.Model):
    """How many rows of a frozen dataset are one labeler's, counted when it is frozen (`whose.py`)."""

    dataset = models.ForeignKey("training.Dataset", on_delete=models.PROTECT, related_name="labeler_rows")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="dataset_rows")
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "labeler"], name="labeler_rows_once")]

    def __str__(self) -> str:
        return f"{self.rows} of {self.labeler_id} in {self.dataset_id}"
