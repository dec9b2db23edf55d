"""Demonstrations: what people answered."""

from django.db import models
from django.utils import timezone


class Demonstration(models.Model):
    """One labeler's own answer to a prompt, under one guideline (which carries the purpose)."""

    prompt = models.ForeignKey("labeling.Prompt", on_delete=models.PROTECT, related_name="demonstrations")
    assignment = models.OneToOneField("labeling.Assignment", on_delete=models.PROTECT, related_name="demonstration")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="demonstrations")
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="demonstrations")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True, blank=True, help_text="First time it went into a dataset.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="demonstration_text_not_empty")]

    def __str__(self) -> str:
        return self.text[:80]
