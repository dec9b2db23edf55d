"""Head-to-head judgements: several policies answer the same prompts, and people rank the answers blind."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.labelers.models import Cohort
from labeling.queue.models import Batch


class Judgement(models.Model):
    """Which policies are compared, on which prompts, by whom. Its course is `advance.py`'s to change."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    name = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    note = models.CharField(max_length=500, blank=True, help_text="Why it failed or was stopped.")
    split = models.CharField(max_length=5)
    use_case = models.CharField(max_length=16, blank=True, help_text="Empty: any.")
    source = models.CharField(max_length=50, blank=True, help_text="Empty: any.")
    judges = models.PositiveSmallIntegerField(help_text="Labelers who rank each prompt.")
    cohort = models.CharField(max_length=10, choices=Cohort, default=Cohort.HELD_OUT)
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="judgements")
    spec = models.JSONField(help_text="Settings of the recipe `sample`, without those that share out K.")
    seed = models.PositiveIntegerField(default=1)
    shown_from = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the labels that must be there before results are shown.",
    )
    batch = models.OneToOneField(
        "labeling.Batch", on_delete=models.PROTECT, null=True, blank=True, related_name="judgement"
    )
    extended = models.PositiveSmallIntegerField(
        default=0, help_text="How often more was asked for after results could be seen."
    )
    created_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="judgements")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(judges__range=(1, 100)), name="judgement_judges_1_to_100"),
            models.CheckConstraint(condition=Q(shown_from__range=(1, 100)), name="judgement_shown_from_percent"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def progress(self) -> tuple[int, int]:
        """Labels that are there, and labels that are wanted; of a withdrawn item what was done."""
        if self.batch_id is None:
            return 0, 0
        batch = Batch.objects.with_progress().get(pk=self.batch_id)
        return batch.done, batch.wanted

    @property
    def may_have_been_seen(self) -> bool:
        """Whether enough is judged for its results to be shown. A stopped one shows what it has."""
        done, wanted = self.progress
        if self.state in (self.State.DONE, self.State.STOPPED):
            return self.batch_id is not None
        return done > 0 and 100 * done >= self.shown_from * wanted


class JudgedPolicy(models.Model):
    """One of the policies of a judgement, under the name that its results have."""

    judgement = models.ForeignKey(Judgement, on_delete=models.CASCADE, related_name="policies")
    checkpoint = models.ForeignKey("training.Checkpoint", on_delete=models.PROTECT, related_name="judgements")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(help_text="The first one is what the others are compared with.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["judgement", "checkpoint"], name="checkpoint_once_per_judgement"),
            models.UniqueConstraint(fields=["judgement", "name"], name="policy_name_once_per_judgement"),
        ]

    def __str__(self) -> str:
        return self.name


class Drawing(models.Model):
    """A sampling run for some of a judgement's prompts: one to begin with, one each time more are wanted."""

    judgement = models.ForeignKey(Judgement, on_delete=models.CASCADE, related_name="drawings")
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, related_name="drawing")
    prompts = models.PositiveIntegerField()
    taken_in_at = models.DateTimeField(null=True, blank=True, help_text="When its completions became work.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.judgement}: {self.prompts} prompts"
