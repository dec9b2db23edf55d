"""Items whose answer is known: gold answers by researchers, and comparisons that recur to see whether people drift."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class GoldAnswer(models.Model):
    """What a researcher says of an item's completions, and why. `answer.py` alone writes it."""

    class Mode(models.TextChoices):
        SILENT = "silent", "Silent: nothing is shown, it is only counted"
        TEACHING = "teaching", "Teaching: shown to the labeler after they sent in their own"

    item = models.OneToOneField("labeling.WorkItem", on_delete=models.PROTECT, related_name="gold")
    completions = ArrayField(models.BigIntegerField(), help_text="Ids, in ascending order.")
    ranks = ArrayField(models.PositiveSmallIntegerField(), help_text="Of each of them: 1 is best, equal ones a tie.")
    explanation = models.TextField(help_text="Why, as labelers read it.")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.SILENT)
    author = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="gold_answers")
    revision = models.PositiveIntegerField(default=1, help_text="Counts up; who changes it names the one they know.")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Mixed into no further batch since then.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ranks__len=models.F("completions__len")), name="gold_ranks_every_completion"
            ),
            models.CheckConstraint(condition=~Q(explanation=""), name="gold_explains_itself"),
        ]

    def __str__(self) -> str:
        return f"gold of {self.item_id}"

    @property
    def places(self) -> dict[int, int]:
        """The rank of each completion."""
        return dict(zip(self.completions, self.ranks, strict=True))


class DriftItem(models.Model):
    """A comparison that recurs in batches, the same one each time. `drift.py` alone writes it."""

    item = models.OneToOneField("labeling.WorkItem", on_delete=models.PROTECT, related_name="drift")
    added_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="drift_items")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["added_at", "pk"]

    def __str__(self) -> str:
        return f"drift of {self.item_id}"
