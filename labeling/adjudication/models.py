"""What researchers decide where labelers disagree. `decide.py` alone writes decisions, `taxonomy.py` the kinds."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ErrorKind(models.Model):
    """Why labelers came apart. A retired kind is not offered any more; decisions that name it keep it."""

    key = models.SlugField(primary_key=True, max_length=40)
    label = models.CharField(max_length=60, unique=True)
    explained = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label


class Adjudication(models.Model):
    """One item's place in the adjudication queue: who is at it, and which decision holds."""

    item = models.OneToOneField(
        "labeling.WorkItem", on_delete=models.PROTECT, primary_key=True, related_name="adjudication"
    )
    held_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="adjudications_held"
    )
    held_until = models.DateTimeField(null=True, blank=True)
    revisions = models.PositiveIntegerField(default=0, help_text="Decisions and withdrawals so far.")
    decision = models.OneToOneField(
        "labeling.Decision",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="is_holding_for",
        help_text="The one that holds; none where nobody decided, or the last decision was withdrawn.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(held_by=None, held_until=None) | Q(held_by__isnull=False, held_until__isnull=False),
                name="adjudication_held_until_when",
            )
        ]

    def __str__(self) -> str:
        return f"adjudication of item {self.item_id}"


class Decision(models.Model):
    """One word on an item, never changed: a revision is a row of its own, and so is a withdrawal (without places).

    `places` are [[completion id, place], …], 1 the best, equal places a tie, by ids.
    """

    item = models.ForeignKey("labeling.WorkItem", on_delete=models.PROTECT, related_name="decisions", db_index=False)
    revision = models.PositiveIntegerField()
    taken_from = models.ForeignKey(
        "labeling.Ranking",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        help_text="The labeler's ranking that was found right; none for an order of the adjudicator's own.",
    )
    places = models.JSONField(default=list)
    reason = models.TextField()
    errors = ArrayField(models.SlugField(max_length=40), default=list, help_text="Keys of error kinds.")
    is_withdrawal = models.BooleanField(default=False)
    made_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="decisions")
    made_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True, blank=True, help_text="First time it went into a dataset.")

    class Meta:
        ordering = ["item_id", "-revision"]
        constraints = [
            models.UniqueConstraint(fields=["item", "revision"], name="decision_revision_once"),
            models.CheckConstraint(
                condition=Q(is_withdrawal=True, places=[], taken_from=None) | (Q(is_withdrawal=False) & ~Q(places=[])),
                name="decision_has_places",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_a_reason"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="decision_revision_from_1"),
        ]

    def __str__(self) -> str:
        return f"decision {self.revision} on item {self.item_id}"

    @property
    def place_of(self) -> dict[int, int]:
        """Completion id → place."""
        return {int(completion): int(place) for completion, place in self.places}
