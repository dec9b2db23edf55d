"""What labelers are told. Every label is stamped with the guideline and so with its purpose."""

from django.db import models
from django.utils import timezone


class Purpose(models.TextChoices):
    """Helpfulness comes first in training labels, truthfulness and harmlessness in evaluation (§3.4)."""

    TRAINING = "training", "Training"
    EVALUATION = "evaluation", "Evaluation"


class Guideline(models.Model):
    """One published version of the instructions for one purpose; never changed afterwards."""

    purpose = models.CharField(max_length=10, choices=Purpose)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    body = models.TextField(help_text="Markdown.")
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["purpose", "-version"]
        constraints = [models.UniqueConstraint(fields=["purpose", "version"], name="guideline_version_once")]

    def __str__(self) -> str:
        return f"{self.title} (version {self.version})"


class Acknowledgement(models.Model):
    """A labeler has read this version and said so."""

    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="acknowledgements")
    labeler = models.ForeignKey(
        "labeling.Labeler", on_delete=models.CASCADE, related_name="acknowledgements", db_index=False
    )
    acknowledged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["labeler", "guideline"], name="acknowledged_once")]

    def __str__(self) -> str:
        return f"{self.labeler_id}: {self.guideline_id}"
