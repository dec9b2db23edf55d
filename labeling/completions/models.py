"""Completions: what a policy answered."""

from django.db import models
from django.utils import timezone


class Completion(models.Model):
    """One text sampled from one checkpoint for one prompt."""

    prompt = models.ForeignKey("labeling.Prompt", on_delete=models.PROTECT, related_name="completions")
    run = models.ForeignKey("training.Run", on_delete=models.PROTECT, related_name="completions")
    checkpoint = models.ForeignKey("training.Checkpoint", on_delete=models.PROTECT, related_name="completions")
    sample = models.PositiveSmallIntegerField(help_text="0 … K-1 within the prompt and run.")
    text = models.TextField(blank=True)
    finished = models.BooleanField(help_text="The policy ended the text itself.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "prompt", "sample"], name="completion_once_per_sample"),
        ]

    def __str__(self) -> str:
        return self.text[:80]
