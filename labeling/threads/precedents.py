"""Answers that hold for everybody: cases beside the version of the guideline that they were decided under."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from labeling.errors import Conflict
from labeling.guidelines.models import Guideline
from labeling.labelers.models import User
from labeling.texts import clean
from labeling.threads.models import Precedent, Thread


def in_force() -> QuerySet[Guideline]:
    """The newest version for each purpose."""
    newer = Guideline.objects.filter(purpose=OuterRef("purpose"), version__gt=OuterRef("version"))
    return Guideline.objects.filter(~Exists(newer))


def publish(user: User, thread: Thread | None, guideline: Guideline, question: str, answer: str) -> Precedent:
    """A case for all to read, in the researcher's words; the same words again are the same precedent.

    Raises BadInput for a text that is empty or too long, Conflict where a newer version of the guideline is out.
    """
    question, answer = clean(question, "The case"), clean(answer, "The answer")
    if not in_force().filter(pk=guideline.pk).exists():
        raise Conflict("A newer version of this guideline is out. Publish beside that one.")
    same = Precedent.objects.filter(guideline=guideline, question=question, answer=answer, withdrawn_at=None).first()
    return same or Precedent.objects.create(
        guideline=guideline, thread=thread, question=question, answer=answer, published_by=user
    )


def beside(guideline: Guideline) -> QuerySet[Precedent]:
    """Those that hold under this version."""
    return guideline.precedents.filter(withdrawn_at=None)


def withdraw(precedent: Precedent, user: User) -> None:
    """It holds no longer. Withdrawn twice is withdrawn once, by the first."""
    waiting = Precedent.objects.filter(pk=precedent.pk, withdrawn_at=None)
    waiting.update(withdrawn_at=timezone.now(), withdrawn_by=user)


def restore(precedent: Precedent) -> None:
    """Undo of `withdraw`."""
    Precedent.objects.filter(pk=precedent.pk).update(withdrawn_at=None, withdrawn_by=None)
