"""Questions and answers between labelers and researchers, what is announced to all, and precedents."""

from django.db import models
from django.utils import timezone

from labeling.labelers.models import Cohort


class Thread(models.Model):
    """A conversation: one labeler's with the researchers, or (without a labeler) an announcement to all of them."""

    labeler = models.ForeignKey(
        "labeling.Labeler", on_delete=models.PROTECT, null=True, blank=True, related_name="threads"
    )
    item = models.ForeignKey(
        "labeling.WorkItem", on_delete=models.PROTECT, null=True, blank=True, related_name="threads"
    )
    title = models.CharField(max_length=200)
    cohort = models.CharField(
        max_length=10,
        choices=Cohort,
        blank=True,
        db_default="",
        help_text="An announcement to these alone; empty: all.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now, help_text="When somebody last wrote.")

    class Meta:
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return self.title


class Post(models.Model):
    """What somebody wrote in a thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="posts")
    author = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="posts")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="post_text_not_empty")]

    def __str__(self) -> str:
        return self.text[:80]


class Reading(models.Model):
    """How far somebody has read a thread."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="readings", db_index=False)
    user = models.ForeignKey("labeling.User", on_delete=models.CASCADE, related_name="readings", db_index=False)
    read_at = models.DateTimeField(default=timezone.now)
    is_dismissed = models.BooleanField(
        default=False, db_default=False, help_text="An announcement that was put away from the start page."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "thread"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.thread_id}"


class Precedent(models.Model):
    """A case and how it is to be decided, in a researcher's words, beside one version of a guideline."""

    guideline = models.ForeignKey("labeling.Guideline", on_delete=models.PROTECT, related_name="precedents")
    thread = models.ForeignKey(
        Thread,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="precedents",
        help_text="Where it came up.",
    )
    question = models.TextField()
    answer = models.TextField()
    published_by = models.ForeignKey("labeling.User", on_delete=models.PROTECT, related_name="precedents_published")
    published_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        "labeling.User", on_delete=models.PROTECT, null=True, blank=True, related_name="precedents_withdrawn"
    )

    class Meta:
        ordering = ["published_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(question="") & ~models.Q(answer=""), name="precedent_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.question[:80]
