"""What researchers say where a reward model contradicts a labeler. `verdicts.py` alone writes it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Verdict(models.Model):
    """One word on a reward model's contradiction of a ranking, never changed: the one with the highest revision holds.

    `preferred` and `other` are the two completions as the labeler ordered them when the word was said.
    """

    class Word(models.TextChoices):
        MODEL = "model", "The model is wrong"
        LABEL = "label", "The label is wrong"
        UNCLEAR = "unclear", "Unclear"
        OPEN = "open", "Open again"

    checkpoint = models.ForeignKey(
        "training.Checkpoint", on_delete=models.PROTECT, related_name="verdicts", db_index=False
    )
    ranking = models.ForeignKey("labeling.Ranking", on_delete=models.PROTECT, related_name="verdicts")
    revision = models.PositiveIntegerField()
    preferred = models.ForeignKey("labeling.Completion", on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey("labeling.Completion", on_delete=models.PROTECT, related_name="+")
    word = models.CharField(max_length=7, choices=Word)
    made_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="verdicts")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["checkpoint", "ranking", "-revision"]
        constraints = [
            models.UniqueConstraint(fields=["checkpoint", "ranking", "revision"], name="verdict_revision_once"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="verdict_revision_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.get_word_display()}: ranking {self.ranking_id} by checkpoint {self.checkpoint_id}"
