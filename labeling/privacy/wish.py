"""Asking to be erased, and taking it back while nobody has carried it out."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import Labeler, User
from labeling.privacy.models import Choice, Erasure


def of(labeler: Labeler) -> Erasure | None:
    """The wish that stands, asked for or carried out."""
    return Erasure.objects.filter(labeler=labeler, cancelled_at=None).select_related("done_by").first()


def ask(labeler: Labeler, by: User, wish: str) -> Erasure:
    """An admin carries it out. Raises BadInput for an unknown wish, Conflict where one stands already."""
    if wish not in Choice.values:
        raise BadInput("Please choose what is to become of the labels.")
    try:
        with transaction.atomic():
            return Erasure.objects.create(labeler=labeler, wish=wish, asked_by=by)
    except IntegrityError:
        raise Conflict("Erasure has been asked for already.") from None


def take_back(labeler: Labeler) -> None:
    """Nothing is erased. Raises Conflict where it was carried out meanwhile, or nobody asked."""
    standing = Erasure.objects.filter(labeler=labeler, cancelled_at=None, done_at=None)
    if not standing.update(cancelled_at=timezone.now()):
        raise Conflict("No wish to be erased is waiting.")
