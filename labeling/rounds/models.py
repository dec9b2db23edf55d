"""A round is one turn of the loop; its stages are what is due one after the other; its events say what happened."""

from django.db import models
from django.utils import timezone


class Round(models.Model):
    """One turn of the loop: its settings are fixed when it is opened, but for the budget; the events tell of that."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    settings = models.JSONField(help_text="Prompts, K, overlap, and one spec per stage.")
    seed = models.PositiveIntegerField(default=1)
    weight = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of its batches, against those of other rounds; empty: as the settings say."
    )
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
        STOPPED = "stopped", "Stopped"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, null=True, blank=True, related_name="stage")
    batch = models.OneToOneField(
        "labeling.Batch", on_delete=models.PROTECT, null=True, blank=True, related_name="stage"
    )
    note = models.CharField(max_length=500, blank=True, help_text="Why it failed or waits.")
    let_go_at = models.DateTimeField(null=True, blank=True, help_text="When a person let it start.")
    goes_on = models.BooleanField(
        default=False, help_text="A pause has stopped its run, so it is taken up again with the round."
    )
    result = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["round", "name"], name="stage_once_per_round")]

    def __str__(self) -> str:
        return f"{self.round}: {self.name}"


class RoundEvent(models.Model):
    """Something that happened to a round: written with it, in one transaction, and never changed."""

    class What(models.TextChoices):
        OPENED = "opened", "Opened"
        STARTED = "started", "Stage started"
        FINISHED = "finished", "Stage finished"
        FAILED = "failed", "Stage failed"
        HELD = "held", "Stage waits for a person"
        LET_GO = "let_go", "Let go on"
        RUN_STOPPED = "run_stopped", "Stage stopped"
        TAKEN_UP = "taken_up", "Stage taken up again"
        RETRIED = "retried", "Stage tried again"
        PAUSED = "paused", "Paused"
        RESUMED = "resumed", "Resumed"
        STOPPED = "stopped", "Stopped for good"
        WEIGHT = "weight", "Priority changed"
        BUDGET = "budget", "Budget changed"
        DONE = "done", "Round done"

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    who = models.ForeignKey(
        "labeling.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="round_events",
        help_text="Empty: Podium itself.",
    )
    what = models.CharField(max_length=12, choices=What)
    stage = models.CharField(max_length=30, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        # By id within a moment: it is the order in which they were written under the round's lock.
        ordering = ["-pk"]
        indexes = [models.Index(fields=["round", "-id"], name="events_of_round")]

    def __str__(self) -> str:
        return f"{self.round_id} {self.what} {self.stage}".strip()
