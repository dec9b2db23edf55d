"""Demonstrations: what people answered."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from labeling.prompts.models import UseCase


class Demonstration(models.Model):
    """One labeler's own answer to a prompt, under one guideline (which carries the purpose)."""

    prompt = models.ForeignKey("labeling.Prompt", on_delete=models.PROTECT, related_name="demonstrations")
    assignment = models.OneToOneField("labeling.Assignment", on_delete=models.PROTECT, related_name="demonstration")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="demonstrations")
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="demonstrations")
    rubric = models.ForeignKey("labeling.Rubric", on_delete=models.PROTECT, related_name="demonstrations")
    text = models.TextField()
    use_case = models.CharField(
        max_length=16, choices=UseCase, blank=True, help_text="The prompt's, as the labeler sees it."
    )
    traits = ArrayField(
        models.SlugField(),
        default=list,
        blank=True,
        help_text="Keys of the rubric's traits of prompts that hold (Table 7).",
    )
    language = models.CharField(max_length=8, blank=True, help_text="Of the text, as it was recognized: en, de, zh …")
    earlier = models.JSONField(default=list, blank=True, help_text="What it said before each correction, oldest first.")
    corrected_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True, blank=True, help_text="First time it went into a dataset.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="demonstration_text_not_empty")]

    def __str__(self) -> str:
        return self.text[:80]
