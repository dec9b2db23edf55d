"""Screening: a set of items, researchers' answers to it, one sitting per candidate, grades.

The four criteria are those of Ouyang et al. (2022, App. B.1): agreement on sensitive-content flags, agreement on
rankings, demonstrations for sensitive prompts graded 1 to 7, and what candidates say they can identify.
"""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone


class ScreeningSet(models.Model):
    """What candidates are asked, and from where on an answer is good enough. Its items are final once it was open."""

    name = models.CharField(max_length=200)
    flag_cutoff = models.PositiveSmallIntegerField(default=75, help_text="Per cent.")
    ranking_cutoff = models.PositiveSmallIntegerField(default=75, help_text="Per cent.")
    grade_cutoff = models.DecimalField(max_digits=3, decimal_places=2, default=Decimal(6), help_text="Of 7.")
    created_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    is_open = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="For the first time.")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="one_open_screening_set"),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(opened_at__isnull=False, closed_at=None), name="open_set_was_opened"
            ),
            models.CheckConstraint(
                condition=Q(flag_cutoff__lte=100, ranking_cutoff__lte=100, grade_cutoff__gte=1, grade_cutoff__lte=7),
                name="screening_cutoffs_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """`draft` until it is opened for the first time, `open`, `closed`."""
        if self.is_open:
            return "open"
        return "closed" if self.opened_at else "draft"


class ScreeningItem(models.Model):
    """One thing that is asked. One that is removed can be put back, with the answers it had."""

    class Kind(models.TextChoices):
        FLAGS = "flags", "Flag a text"
        RANK = "rank", "Rank completions"
        WRITE = "write", "Write a demonstration"
        REPORT = "report", "Say what you know"

    screening_set = models.ForeignKey(ScreeningSet, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(help_text="The text to flag, the prompt, or the question.")
    parts = models.JSONField(default=list, blank=True, help_text="Flags to answer yes or no; completions to rank.")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Reference(models.Model):
    """A researcher's answer to an item of the kinds `flags` and `rank`, in the shape that answers.py says."""

    item = models.ForeignKey(ScreeningItem, on_delete=models.CASCADE, related_name="references")
    researcher = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    value = models.JSONField()
    answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "researcher"], name="reference_once_per_researcher")]

    def __str__(self) -> str:
        return f"{self.item_id} by {self.researcher_id}"


class Sitting(models.Model):
    """A candidate at a set: one for each labeler, ever. `label` is the candidate's name on the selection screen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    screening_set = models.ForeignKey(ScreeningSet, on_delete=models.PROTECT, related_name="sittings")
    labeler = models.OneToOneField("labeling.Labeler", on_delete=models.CASCADE, related_name="sitting")
    label = models.CharField(max_length=3)
    started_at = models.DateTimeField(default=timezone.now)
    sent_in_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["screening_set", "label"], name="candidate_label_once")]

    def __str__(self) -> str:
        return f"Candidate {self.label}"


class Response(models.Model):
    """A candidate's answer to an item, as far as it goes. Its random id says nothing of whose it is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sitting = models.ForeignKey(Sitting, on_delete=models.CASCADE, related_name="responses")
    item = models.ForeignKey(ScreeningItem, on_delete=models.PROTECT, related_name="responses")
    value = models.JSONField()
    is_done = models.BooleanField(default=False, help_text="The candidate has gone on from it, and it was whole.")
    revision = models.PositiveIntegerField(
        default=1, help_text="Counts up; a window that saves names the one it knows."
    )
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sitting", "item"], name="response_once_per_item")]

    def __str__(self) -> str:
        return str(self.pk)


class Grade(models.Model):
    """A researcher's grade, 1 to 7, for a demonstration whose writer they do not know."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="grades")
    researcher = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="+")
    grade = models.PositiveSmallIntegerField()
    graded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "researcher"], name="grade_once_per_researcher"),
            models.CheckConstraint(condition=Q(grade__gte=1, grade__lte=7), name="grade_1_to_7"),
        ]

    def __str__(self) -> str:
        return f"{self.response_id}: {self.grade}"
