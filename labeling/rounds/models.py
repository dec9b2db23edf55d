"""A round is one turn of the loop; its stages are what is due one after the other."""

from django.db import models
from django.utils import timezone


class Round(models.Model):
    """One turn of the loop: its settings are fixed when it is opened."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    settings = models.JSONField(help_text="Prompts, K, overlap, and one spec per stage.")
    seed = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="rounds")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """A step of a round: people's work (a batch) or a recipe's work (a run)."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for its turn"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        HELD = "held", "Waiting for a person"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, null=True, blank=True, related_name="stage")
    batch = models.OneToOneField(
        "labeling.Batch", on_delete=models.PROTECT, null=True, blank=True, related_name="stage"
    )
    note = models.CharField(max_length=500, blank=True, help_text="Why it failed or waits.")
    result = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["round", "name"], name="stage_once_per_round")]

    def __str__(self) -> str:
        return f"{self.round}: {self.name}"
