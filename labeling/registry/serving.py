"""Which policy serves: one at a time, by a researcher's word, with a history of who, when and why."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.registry.models import Promotion
from labeling.texts import clean
from training.models import Checkpoint
from training.runs.weights import folder_of

WHY = 500
FIRST = "Another promotion or demotion came first; look who serves now."


def current() -> Promotion | None:
    """The promotion that stands."""
    return Promotion.objects.filter(ended_at=None).select_related("checkpoint__run", "by").first()


def promote(checkpoint: Checkpoint, user: User, why: str, seen: int | None) -> Promotion:
    """It serves from now on, in the place of the promotion `seen` (None: nobody served when the page was opened).

    Raises BadInput without a reason and for what cannot serve; Conflict where somebody else changed it meanwhile.
    """
    why = reason(why)
    try:
        with transaction.atomic():
            # The lock keeps the weights from being deleted at the same moment (removal.py takes the same).
            locked = Checkpoint.objects.select_for_update(no_key=True).get(pk=checkpoint.pk)
            _check(locked)
            if seen is not None:
                _end(seen, user, f"Replaced by {locked}: {why}"[:WHY])
            return Promotion.objects.create(checkpoint=locked, by=user, why=why)
    except IntegrityError:  # `one_serves`
        raise Conflict(FIRST) from None


def demote(promotion: int, user: User, why: str) -> None:
    """Nothing serves from now on. Raises BadInput without a reason, Conflict where it has ended already."""
    _end(promotion, user, reason(why))


def reason(why: str) -> str:
    """The reason as it is stored. Raises BadInput where there is none, or a novel."""
    why = clean(why, "The reason")
    if len(why) > WHY:
        raise BadInput(f"The reason has {len(why)} characters; at most {WHY} are taken.")
    return why


def _end(promotion: int, user: User, why: str) -> None:
    standing = Promotion.objects.filter(pk=promotion, ended_at=None)
    if not standing.update(ended_at=timezone.now(), ended_by=user, ended_why=why):
        raise Conflict(FIRST)


def _check(checkpoint: Checkpoint) -> None:
    if checkpoint.kind != Checkpoint.Kind.POLICY:
        raise BadInput("A reward model gives scores and no answers; only a policy can serve.")
    if checkpoint.weights_deleted_at:
        raise BadInput("Its weights were deleted, so there is nothing to serve.")
    if folder_of(checkpoint) is None:
        raise BadInput(f"There is no folder of weights in {checkpoint.path}, so there is nothing to serve.")
    if Promotion.objects.filter(checkpoint=checkpoint, ended_at=None).exists():
        raise Conflict("It serves already.")
