"""Prompts that labelers write (Ouyang et al. 2022, §3.2, App. A.2); a researcher's look makes them prompts."""

from django.db import models
from django.utils import timezone

from labeling.prompts.models import UseCase


class Shape(models.TextChoices):
    """The paper's three kinds of labeler-written prompts."""

    PLAIN = "plain", "Plain"
    FEW_SHOT = "few_shot", "Few-shot"
    USER_BASED = "user_based", "User-based"


class Proposal(models.Model):
    """One prompt as a labeler wrote it: an instruction, and for few-shot the pairs of query and response."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TAKEN = "taken", "Taken"
        REFUSED = "refused", "Refused"

    assignment = models.OneToOneField("labeling.Assignment", on_delete=models.PROTECT, related_name="proposal")
    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="proposals")
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="proposals")
    shape = models.CharField(max_length=10, choices=Shape)
    use_case = models.CharField(max_length=16, choices=UseCase)
    text = models.TextField(help_text="The prompt; for few-shot the instruction that its pairs follow.")
    pairs = models.JSONField(default=list, blank=True, help_text="Few-shot: [{query, response}].")
    earlier = models.JSONField(default=list, blank=True, help_text="What it said before each correction, oldest first.")
    corrected_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="decided_proposals"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="What the researcher says to the labeler.")
    prompts = models.ManyToManyField("labeling.Prompt", blank=True, related_name="proposals")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "created_at"], name="proposal_by_state")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="proposal_text_not_empty"),
            models.CheckConstraint(
                condition=models.Q(state="waiting", decided_at=None)
                | models.Q(state__in=["taken", "refused"], decided_at__isnull=False),
                name="proposal_decided_once",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]
