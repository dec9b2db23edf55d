"""Frozen files, executions of recipes, and the weights they made: the lineage of a policy."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Dataset(models.Model):
    """A frozen file under the artifact root; its name is its content."""

    kind = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=200, unique=True, help_text="Relative to the artifact root.")
    rows = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "sha256"], name="dataset_once_per_content")]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]} ({self.rows} rows)"


class Run(models.Model):
    """One execution of a recipe. The recipe's own word is its status.json; this row follows it."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    class Queue(models.TextChoices):
        """Celery's queue for it: a person who waits for an answer does not stand behind days of training."""

        TRAINING = "training", "Training"
        PLAYGROUND = "playground", "Playground"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipe = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    spec = models.JSONField()
    seed = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    phase = models.CharField(max_length=100, blank=True, help_text="The recipe's own word for what it does now.")
    step = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    unit = models.CharField(max_length=20, blank=True)
    eta_seconds = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)
    result = models.JSONField(null=True, blank=True)
    queue = models.CharField(max_length=10, choices=Queue, default=Queue.TRAINING, db_default=Queue.TRAINING)
    attempts = models.PositiveSmallIntegerField(default=0)
    futile_attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts in a row that died without getting further."
    )
    furthest_step = models.PositiveIntegerField(default=0, help_text="The furthest step at which it ever died.")
    worker = models.CharField(max_length=200, blank=True, help_text="host:pid of the process that follows it.")
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told about it.")
    stop_requested_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody asked it to stop; its worker looks here every second."
    )
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    warnings = models.JSONField(default=list, help_text="What its curves say is wrong with it (runs/finding.py).")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="run_live"),
            models.Index(fields=["-created_at"], name="run_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def is_stopping(self) -> bool:
        """Asked to stop, and still saving."""
        return self.state == self.State.RUNNING and self.stop_requested_at is not None


class RunRequest(models.Model):
    """What a person asked of a run: the history of who stopped it, resumed it, tried it again with what."""

    class Verb(models.TextChoices):
        STOP = "stop", "stopped"
        RESUME = "resume", "resumed"
        RETRY = "retry", "tried again"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="requests")
    verb = models.CharField(max_length=6, choices=Verb)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: a program."
    )
    at = models.DateTimeField(default=timezone.now)
    anew = models.BooleanField(default=False, help_text="Begun from the beginning, not from the saved state.")
    changed = models.JSONField(default=dict, help_text="Settings that were changed: {name: [before, after]}.")

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.run_id} {self.get_verb_display()}"


class Checkpoint(models.Model):
    """A weights folder made by a run, or brought in from outside (then it has no run)."""

    class Kind(models.TextChoices):
        POLICY = "policy", "Policy"
        REWARD_MODEL = "reward_model", "Reward model"

    run = models.OneToOneField(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="checkpoint")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind)
    path = models.CharField(max_length=300, unique=True, help_text="Relative to the artifact root, or a hub id.")
    created_at = models.DateTimeField(default=timezone.now)
    weights_deleted_at = models.DateTimeField(null=True, blank=True, help_text="The row stays, as the record.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class RunInput(models.Model):
    """A dataset that a run reads, under the recipe's name for it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="inputs")
    name = models.CharField(max_length=40)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="input_once_per_run")]

    def __str__(self) -> str:
        return f"{self.name}: {self.dataset_id}"


class RunParent(models.Model):
    """A checkpoint that a run starts from or uses, under the recipe's name for it (policy, reward_model …)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="parents")
    role = models.CharField(max_length=40)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "role"], name="parent_once_per_run")]

    def __str__(self) -> str:
        return f"{self.role}: {self.checkpoint_id}"
