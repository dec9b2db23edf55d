"""Rankings: one labeler's order of K completions, ties allowed."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Ranking(models.Model):
    """The order of one item's completions as one labeler sees it, under one guideline."""

    assignment = models.OneToOneField("labeling.Assignment", on_delete=models.PROTECT, related_name="ranking")
    item = models.ForeignKey("labeling.WorkItem", on_delete=models.PROTECT, related_name="rankings")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="rankings")
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="rankings")
    rubric = models.ForeignKey("labeling.Rubric", on_delete=models.PROTECT, related_name="rankings")
    display_order = ArrayField(models.BigIntegerField(), help_text="Completion ids in the order they were shown in.")
    none_acceptable = models.BooleanField(
        default=False, db_default=False, help_text="Even the best is not good enough."
    )
    reasons = ArrayField(models.SlugField(), default=list, blank=True, help_text="Keys of the rubric's reasons.")
    rationale = models.TextField(blank=True, help_text="Why, in the labeler's words.")
    earlier = models.JSONField(default=list, blank=True, help_text="What it said before each correction, oldest first.")
    corrected_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True, blank=True, help_text="First time it went into a dataset.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["item", "labeler"], name="ranking_once_per_labeler")]

    def __str__(self) -> str:
        return f"{self.labeler_id} on {self.item_id}"


class RankedCompletion(models.Model):
    """A completion's place in a ranking (1 is best, equal places are a tie; gaps carry no meaning), and what was said
    of it alone: the overall quality from 1 to 7, the flags of Table 3, the passages that a flag points at."""

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="places", db_index=False)
    completion = models.ForeignKey("labeling.Completion", on_delete=models.PROTECT, related_name="places")
    place = models.PositiveSmallIntegerField()
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 (worst) to 7 (best).")
    flags = ArrayField(models.SlugField(), default=list, blank=True, help_text="Keys of the rubric's flags that hold.")
    spans = models.JSONField(
        default=list, blank=True, help_text="Passages: [{flag, start, end}], in characters of the completion's text."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ranking", "completion"], name="completion_once_per_ranking"),
            models.CheckConstraint(condition=Q(place__gte=1, place__lte=9), name="place_1_to_9"),
            models.CheckConstraint(condition=Q(rating=None) | Q(rating__gte=1, rating__lte=7), name="rating_1_to_7"),
        ]

    def __str__(self) -> str:
        return f"{self.place}: {self.completion_id}"
