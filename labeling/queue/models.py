"""The queue's rows. Only `dispatch.py` (with `fill.py` and `line.py` behind it) writes the line.

Shape and reasons: a claim reads the partial index `item_open` from the labeler's cursor on and stops at the first
row, however many items are open or done. `is_open` is stored, so PostgreSQL checks it again on the locked row.
"""

import uuid
from typing import TYPE_CHECKING, TypedDict

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Sum, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from labeling.guidelines.models import Purpose
from labeling.labelers.models import Cohort
from labeling.queue.kinds import CHECKS, OWN, Control, Kind, Lane
from labeling.queue.settings import BatchSettings

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from labeling.prompts.models import Prompt

__all__ = [
    "CHECKS",
    "OWN",
    "ActiveSpan",
    "Assignment",
    "Batch",
    "BatchQuerySet",
    "Control",
    "Cursor",
    "Draft",
    "Kind",
    "Lane",
    "WorkItem",
    "WorkItemCompletion",
]


class Progress(TypedDict):
    done: int
    wanted: int


class BatchQuerySet(models.QuerySet["Batch"]):
    def with_progress(self) -> "models.QuerySet[WithAnnotations[Batch, Progress]]":
        """Adds `done` and `wanted`, counted in labels; of a withdrawn item only what was done is wanted.

        Gold and drift items come on top and are not counted: a batch is complete without them.
        """
        wanted = Case(When(items__withdrawn_at=None, then=F("items__need")), default=F("items__done"))
        own = Q(items__control__in=OWN)
        # The plugin infers an unnamed pair of the same types.
        return self.annotate(  # type: ignore[return-value]
            done=Coalesce(Sum("items__done", filter=own), 0), wanted=Coalesce(Sum(wanted, filter=own), 0)
        )


class Batch(BatchSettings):
    """Work items that were put in together: one kind, one purpose, one cohort, one guideline, one rubric."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind)
    purpose = models.CharField(max_length=10, choices=Purpose)
    cohort = models.CharField(max_length=10, choices=Cohort)
    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="batches")
    rubric = models.ForeignKey("labeling.Rubric", on_delete=models.PROTECT, related_name="batches")
    created_at = models.DateTimeField(default=timezone.now)

    objects = BatchQuerySet.as_manager()

    class Meta(BatchSettings.Meta):
        abstract = False
        verbose_name_plural = "batches"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class WorkItem(models.Model):
    """Something wanted from `need` labelers. `taken` counts live leases and finished labels, `done` the latter."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items")
    prompt = models.ForeignKey(
        "labeling.Prompt", on_delete=models.PROTECT, related_name="items", db_index=False, null=True, blank=True
    )
    brief = models.JSONField(
        null=True, blank=True, help_text="In place of a prompt where one is to be written: {shape, use_case, text}."
    )
    topics = ArrayField(
        models.SlugField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="The prompt's: who opted out is passed by.",
    )
    authors = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="Labelers whose own words stand among the completions: they are passed by.",
    )
    control = models.PositiveSmallIntegerField(choices=Control, default=Control.ORDINARY, db_default=Control.ORDINARY)
    origin = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        related_name="copies",
        db_index=False,
        null=True,
        blank=True,
        help_text="The item that a gold or drift item repeats.",
    )
    completions = models.ManyToManyField("labeling.Completion", through="WorkItemCompletion", related_name="items")
    lane = models.PositiveSmallIntegerField(choices=Lane)
    priority = models.PositiveSmallIntegerField(default=5, help_text="0 is served first, 9 last.")
    pos = models.BigIntegerField(help_text="Place in the line, from the sequence labeling_workitem_pos.")
    need = models.PositiveSmallIntegerField(default=1)
    taken = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveSmallIntegerField(default=0)
    is_open = models.BooleanField(default=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True, help_text="Waits for a researcher's look since then.")
    held_because = models.CharField(max_length=200, blank=True, db_default="")
    is_paused = models.BooleanField(
        default=False, db_default=False, help_text="Its batch is paused: nobody new is given it."
    )

    class Meta:
        indexes = [
            models.Index(fields=["lane", "priority", "pos"], condition=Q(is_open=True), name="item_open"),
            models.Index(fields=["held_at"], condition=Q(held_at__isnull=False), name="item_held"),
        ]
        constraints = [
            # A known item recurs at most once in a batch, and so for each labeler.
            models.UniqueConstraint(fields=["origin", "batch"], condition=Q(origin__isnull=False), name="copy_once"),
            models.CheckConstraint(
                condition=Q(control__in=OWN, origin=None) | Q(control__in=CHECKS, origin__isnull=False),
                name="item_check_has_origin",
            ),
            models.CheckConstraint(condition=Q(priority__lte=9), name="item_priority_0_to_9"),
            models.CheckConstraint(condition=Q(need__gte=1), name="item_needs_somebody"),
            models.CheckConstraint(condition=Q(done__lte=F("taken")), name="item_done_within_taken"),
            models.CheckConstraint(condition=Q(taken__lte=F("need")), name="item_taken_within_need"),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(taken__lt=F("need"), withdrawn_at=None, held_at=None, is_paused=False),
                name="item_open_wants_labels",
            ),
            models.CheckConstraint(
                condition=Q(prompt__isnull=False, brief=None) | Q(prompt=None, brief__isnull=False),
                name="item_prompt_or_brief",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_lane_display()} {self.pk}"

    @property
    def takes_late_work(self) -> bool:
        """Whether what comes after its lease ran out still counts. A pause does not keep that away."""
        wanted = self.taken < self.need and self.withdrawn_at is None and self.held_at is None
        return self.is_open or (self.is_paused and wanted)

    @property
    def the_prompt(self) -> "Prompt":
        """The prompt of an item that has one, which all have but those that ask for one."""
        assert self.prompt is not None, f"item {self.pk} asks for a prompt and has none"
        return self.prompt


class WorkItemCompletion(models.Model):
    """A completion that is up for ranking in an item (K = 4 to 9 of them)."""

    item = models.ForeignKey(WorkItem, on_delete=models.CASCADE, related_name="candidates", db_index=False)
    completion = models.ForeignKey("labeling.Completion", on_delete=models.PROTECT, related_name="candidacies")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "completion"], name="completion_once_per_item")]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.completion_id}"


class Assignment(models.Model):
    """One labeler's lease on one item. Its UUID is what a labeler sees in a URL."""

    class State(models.IntegerChoices):
        LEASED = 0, "Leased"
        DONE = 1, "Done"
        EXPIRED = 2, "Expired"
        SKIPPED = 3, "Skipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(WorkItem, on_delete=models.PROTECT, related_name="assignments")
    labeler = models.ForeignKey(
        "labeling.Labeler", on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    lane = models.PositiveSmallIntegerField(choices=Lane, help_text="The item's, kept here for `one_lease_per_lane`.")
    state = models.PositiveSmallIntegerField(choices=State, default=State.LEASED)
    display_order = ArrayField(
        models.BigIntegerField(), default=list, help_text="Completion ids in the random order they are shown in."
    )
    leased_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=30, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state=0), name="lease_expires"),
            models.Index(fields=["labeler", "lane"], condition=Q(state=2), name="expired_of_labeler"),
            models.Index(fields=["labeler", "ended_at"], condition=Q(state=1), name="work_of_labeler"),
            models.Index(fields=["labeler", "ended_at"], condition=Q(state=3), name="skips_of_labeler"),
        ]
        constraints = [
            # The last word on 'one labeler never twice on an item'.
            models.UniqueConstraint(fields=["labeler", "item"], name="labeler_once_per_item"),
            # Two tabs that ask at the same time: the second one is given the first one's lease.
            models.UniqueConstraint(fields=["labeler", "lane"], condition=Q(state=0), name="one_lease_per_lane"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Draft(models.Model):
    """What a labeler has put into a page's fields so far. `drafts.py` alone writes it.

    `content` is JSON in ASCII, pairs of field and value: a database text holds no NUL and no lone surrogate, and a
    draft that has one must not be lost for it.
    """

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    content = models.TextField()
    revision = models.PositiveIntegerField(default=1, help_text="Counts up; a tab that saves names the one it knows.")
    saved_at = models.DateTimeField(default=timezone.now)
    came_late_at = models.DateTimeField(
        null=True, blank=True, help_text="Sent in when nothing more was wanted: kept, and shown to the labeler."
    )

    def __str__(self) -> str:
        return f"{self.assignment_id} r{self.revision}"


class ActiveSpan(models.Model):
    """The ledger of active time: one labeler at one piece, from one sign of life to the last before a pause.

    `ledger.py` alone writes it. The spans of one labeler never overlap, whatever number of tabs they work in.
    """

    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.PROTECT, related_name="spans", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="spans")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    is_last = models.BooleanField(default=False, db_default=False, help_text="The one that may still grow.")

    class Meta:
        indexes = [models.Index(fields=["labeler", "ended_at"], name="span_of_labeler")]
        constraints = [
            models.CheckConstraint(condition=Q(started_at__lte=F("ended_at")), name="span_starts_before_it_ends"),
            # Two tabs that sign at the same time: the second one adds nothing.
            models.UniqueConstraint(fields=["labeler"], condition=Q(is_last=True), name="one_last_span"),
        ]

    def __str__(self) -> str:
        return f"{self.labeler_id}: {self.started_at:%F %T}–{self.ended_at:%T}"


class Cursor(models.Model):
    """How far a labeler has come in a lane's priority class: nothing behind it is open for them.

    Two ways lead past a cursor (a claim steps over a row that is being claimed; a writer commits a place in the line
    after a later one), so an empty scan is repeated from the start, at most once a minute (`rescanned_at`).
    """

    labeler = models.ForeignKey("labeling.Labeler", on_delete=models.CASCADE, related_name="cursors", db_index=False)
    lane = models.PositiveSmallIntegerField(choices=Lane)
    priority = models.PositiveSmallIntegerField()
    pos = models.BigIntegerField()
    rescanned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["labeler", "lane", "priority"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.labeler_id} {self.lane}/{self.priority}: {self.pos}"
