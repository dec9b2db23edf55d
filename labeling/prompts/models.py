"""Prompts: what people and policies answer."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class Split(models.TextChoices):
    TRAIN = "train", "Train"
    VALID = "valid", "Validation"
    TEST = "test", "Test"


class UseCase(models.TextChoices):
    """The use cases of Table 1."""

    GENERATION = "generation", "Generation"
    OPEN_QA = "open_qa", "Open QA"
    BRAINSTORMING = "brainstorming", "Brainstorming"
    CHAT = "chat", "Chat"
    REWRITE = "rewrite", "Rewrite"
    SUMMARIZATION = "summarization", "Summarization"
    CLASSIFICATION = "classification", "Classification"
    CLOSED_QA = "closed_qa", "Closed QA"
    EXTRACT = "extract", "Extract"
    OTHER = "other", "Other"


class Topic(models.Model):
    """Something that not everybody wants to read about. Labelers opt out of it, and are warned before it."""

    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=60, unique=True)
    description = models.CharField(max_length=300)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Prompt(models.Model):
    """One prompt, once: its digest is that of the normalized text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.TextField()
    turns = models.JSONField(
        null=True,
        blank=True,
        help_text="A conversation's turns, [{role: user | assistant, text}]; `text` has them all.",
    )
    topics = ArrayField(models.SlugField(), default=list, blank=True, help_text="Sensitive topics, by their slugs.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    use_case = models.CharField(max_length=16, choices=UseCase, default=UseCase.OTHER)
    split = models.CharField(max_length=5, choices=Split)
    owner = models.CharField(max_length=100, blank=True, help_text="Who wrote it: splits and caps go by owner.")
    source = models.CharField(max_length=50, help_text="Where it came from: a file, a person, an API client.")
    held_because = models.CharField(max_length=200, blank=True, help_text="Why it waits for a researcher's look.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["split", "use_case"], name="prompt_split_use_case")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="prompt_text_not_empty"),
            models.CheckConstraint(condition=models.Q(split__in=Split.values), name="prompt_split_known"),
        ]

    def __str__(self) -> str:
        return self.text[:80]
