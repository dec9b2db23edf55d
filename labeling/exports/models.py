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
