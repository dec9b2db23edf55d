"""What labelers say of the work and of themselves, held as counts alone: no row says what one person answered."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Survey(models.Model):
    """Questions that labelers are invited to answer, as they read when it was opened.

    `waiting` counts answers that are not in the results yet; they get there together, never one by one.
    """

    class Kind(models.TextChoices):
        SATISFACTION = "satisfaction", "How the work is"
        DEMOGRAPHICS = "demographics", "Who the labelers are"

    kind = models.CharField(max_length=12, choices=Kind)
    title = models.CharField(max_length=200)
    questions = models.JSONField(help_text="As questions.py had them on the day it was opened.")
    opened_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="surveys_opened")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    waiting = models.PositiveIntegerField(default=0)
    shown = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(closed_at=None), name="survey_one_open_of_a_kind"),
        ]

    def __str__(self) -> str:
        return self.title


class SurveyCount(models.Model):
    """How often one choice of one question was ticked; the empty choice counts who left the question out."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="counts", db_index=False)
    question = models.CharField(max_length=30)
    choice = models.CharField(max_length=40, blank=True)
    waiting = models.PositiveIntegerField(default=0)
    shown = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["survey", "question", "choice"], name="survey_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.question}: {self.choice}"


class SurveyMark(models.Model):
    """That a labeler has answered a survey, or does not want to. No time, and an id that tells no order."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="marks", db_index=False)
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.CASCADE, related_name="survey_marks")
    has_answered = models.BooleanField(help_text="False: the invitation was put away.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "labeler"], name="survey_mark_once")]

    def __str__(self) -> str:
        return f"{self.labeler_id}: {self.survey_id}"
