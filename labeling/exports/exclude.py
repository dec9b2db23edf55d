"""Whose labels are left out of datasets, and why. A filter of what is frozen next, never a deletion."""

from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import Count
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.exports.models import Exclusion
from labeling.labelers.models import Labeler, User

Label = TypeVar("Label", bound=models.Model)
LONGEST = 500


def exclude(labeler: Labeler, reason: str, user: User) -> Exclusion:
    """From the next dataset on. Raises BadInput without a reason, Conflict where the labeler is left out already."""
    said = " ".join(reason.replace("\x00", "").split())
    if not said:
        raise BadInput("Say why: whoever trains on the dataset reads it there.")
    if len(said) > LONGEST:
        raise BadInput(f"The reason has {len(said):,} characters; at most {LONGEST} fit.")
    try:
        with transaction.atomic():
            return Exclusion.objects.create(labeler=labeler, reason=said, made_by=user)
    except IntegrityError:
        raise Conflict(f"{labeler} is left out already; lift that first to give another reason.") from None


def lift(exclusion: Exclusion, user: User) -> None:
    """The labeler's labels count again, from the next dataset on. Raises Conflict where it is lifted already."""
    lifted = Exclusion.objects.filter(pk=exclusion.pk, lifted_at=None).update(lifted_at=timezone.now(), lifted_by=user)
    if not lifted:
        raise Conflict("It was lifted already.")


def standing() -> "models.QuerySet[Exclusion]":
    return Exclusion.objects.filter(lifted_at=None).select_related("labeler", "made_by").order_by("labeler__pseudonym")


def kept(labels: "models.QuerySet[Label]") -> tuple["models.QuerySet[Label]", list[dict[str, Any]]]:
    """The labels without those that are left out now; and for the dataset's metadata who is, why, and how many labels
    of this choice that takes away. To be called in the transaction that freezes."""
    rows = list(standing())
    if not rows:
        return labels, []
    there = labels.filter(labeler__in=[row.labeler_id for row in rows]).order_by()
    counts = dict(there.values_list("labeler_id").annotate(count=Count("pk")))
    left_out = [
        {"labeler": row.labeler.pseudonym, "reason": row.reason, "labels": counts[row.labeler_id]}
        for row in rows
        if row.labeler_id in counts
    ]
    return labels.exclude(labeler__in=[row.labeler_id for row in rows]), left_out
