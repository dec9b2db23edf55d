"""What a project lacks before a first round can be opened, and where to get it. Only reads."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import reverse

from labeling.labelers.models import Cohort, Labeler
from labeling.models import Guideline, Prompt, Purpose
from training.models import Checkpoint, Dataset


class Missing(NamedTuple):
    what: str
    link: str
    to_get_it: str


def of_project() -> list[Missing]:
    return list(_missing())


def _missing() -> Iterator[Missing]:
    if not Prompt.objects.exists():
        yield Missing("There are no prompts.", reverse("prompt-import"), "Take prompts in")
    there = set(Guideline.objects.order_by().values_list("purpose", flat=True).distinct())
    for purpose in Purpose:
        if purpose.value not in there:
            link = reverse("guideline-publish", args=[purpose.value])
            yield Missing(f"There is no guideline for {purpose.value}.", link, "Publish one")
    if not Dataset.objects.filter(kind="texts").exists():
        sentence = "There are no texts: pretraining, PPO-ptx and the language-model loss need them."
        yield Missing(sentence, reverse("text-import"), "Bring texts in")
    if not Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY, weights_deleted_at=None).exists():
        sentence = (
            "There is no base model. A round can pretrain a small one from the texts, or start from one of yours."
        )
        yield Missing(sentence, reverse("base-import"), "Bring a model in")
    at_work = set(Labeler.objects.filter(state=Labeler.State.ACTIVE).values_list("cohort", flat=True).distinct())
    for cohort in Cohort:
        if cohort.value not in at_work:
            yield Missing(f"Nobody of the {cohort.label.lower()} cohort is at work; an admin invites labelers.", "", "")
