"""What is known of checkpoints beside the run that made them: what serves, what people wrote, what was deleted, tries;
and what frozen datasets hold, read from their files once."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils import timezone


class Contents(models.Model):
    """Which labels a frozen file of labels holds. The file is the truth and never changes, so it is read once."""

    dataset = models.OneToOneField("training.Dataset", on_delete=models.PROTECT, related_name="contents")
    label_ids = ArrayField(models.BigIntegerField(), help_text="Ids of its demonstrations or rankings that are here.")
    decision_ids = ArrayField(models.BigIntegerField(), default=list, help_text="Adjudicators' decisions in it.")
    unknown = models.PositiveIntegerField(default=0, help_text="Rows that no label here stands behind.")
    cohorts = models.JSONField(default=dict, help_text="Rows by cohort.")
    guidelines = models.JSONField(default=dict, help_text="Labels by the id of the guideline they were made under.")
    batches = models.JSONField(default=dict, help_text="Labels by the id of their batch.")
    rounds = models.JSONField(default=dict, help_text="Labels by the id of the round that asked for them.")
    sampled_in = ArrayField(models.UUIDField(), default=list, help_text="Runs that sampled what was ranked.")

    class Meta:
        verbose_name_plural = "contents"
        indexes = [
            GinIndex(fields=["label_ids"], name="contents_labels"),
            GinIndex(fields=["decision_ids"], name="contents_decisions"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id}: {len(self.label_ids)} labels"


class CardText(models.Model):
    """What a researcher wrote into a model card about its use; each saving is a row, the last one holds."""

    checkpoint = models.ForeignKey("training.Checkpoint", on_delete=models.PROTECT, related_name="card_texts")
    revision = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    written_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint(fields=["checkpoint", "revision"], name="card_revision_once")]

    def __str__(self) -> str:
        return f"{self.checkpoint_id}, revision {self.revision}"


class Promotion(models.Model):
    """A policy serves from `at` to `ended_at`; one at a time."""

    checkpoint = models.ForeignKey("training.Checkpoint", on_delete=models.PROTECT, related_name="promotions")
    by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=500)
    ended_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(IsNull(F("ended_at"), True), condition=Q(ended_at=None), name="one_serves"),
            models.CheckConstraint(condition=~Q(why=""), name="promotion_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="promotion_ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} since {self.at:%Y-%m-%d}"


class Removal(models.Model):
    """Weights that were deleted: by whom, when, why, and how much it freed. The checkpoint's row stays."""

    checkpoint = models.OneToOneField("training.Checkpoint", on_delete=models.PROTECT, related_name="removal")
    by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=500)
    bytes = models.BigIntegerField(help_text="Freed on disk.")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(why=""), name="removal_has_a_reason")]

    def __str__(self) -> str:
        return f"{self.checkpoint_id}: {self.why}"


class Try(models.Model):
    """A prompt that a researcher tries on one checkpoint or two: a run of the recipe `sample` on one row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, related_name="a_try")
    prompt = models.TextField(help_text="As the policy reads it.")
    turns = models.JSONField(null=True, blank=True, help_text="A conversation's turns; `prompt` has them all.")
    blind = models.BooleanField(default=False)
    swapped = models.BooleanField(default=False, help_text="The second checkpoint stands on the left.")
    revealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "tries"
        constraints = [models.CheckConstraint(condition=~Q(prompt=""), name="try_has_a_prompt")]

    def __str__(self) -> str:
        return self.prompt[:80]

    @property
    def hides_names(self) -> bool:
        return self.blind and self.revealed_at is None
