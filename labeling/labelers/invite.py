"""Invitations: the only way to an account. A link works once, until it is revoked or its days have passed."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.enroll import enroll, give_role
from labeling.labelers.models import Cohort, Invitation, Role, User

DAYS, MOST_DAYS = 14, 90
# Held-out labelers come from the same vendors and are not screened (Ouyang et al. 2022, §3.4).
USUALLY_SCREENED: dict[str, bool] = {Cohort.TRAINING: True, Cohort.HELD_OUT: False}


def invite(
    by: User, email: str, role: str, cohort: str = "", *, days: int = DAYS, screened: bool = False
) -> Invitation:
    """A fresh invitation, open for so many days; earlier open ones to this address end.

    `screened`: a labeler who accepts is in screening first. Raises BadInput, or Conflict for a known account.
    """
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise BadInput(f"“{email}” is not an e-mail address.") from None
    if role not in Role.values:
        raise BadInput(f"The role “{role}” is unknown; use one of {', '.join(Role.values)}.")
    if role == Role.LABELER and cohort not in Cohort.values:
        raise BadInput("A labeler belongs to a cohort: training or held-out.")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"An invitation is open for 1 to {MOST_DAYS} days, not for {days}.")
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(f"There is an account for {email} already.")
    with transaction.atomic():
        _open().filter(email__iexact=email).update(revoked_at=timezone.now())
        is_labeler = role == Role.LABELER
        return Invitation.objects.create(
            created_by=by,
            email=email,
            role=role,
            cohort=cohort if is_labeler else "",
            screened=screened and is_labeler,
            expires_at=timezone.now() + timedelta(days=days),
        )


def revoke(invitation: Invitation) -> None:
    """The link ends. Raises Conflict where it was used first."""
    now = timezone.now()
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=now):
        invitation.refresh_from_db()
        if invitation.accepted_at:
            raise Conflict(f"{invitation.email} has accepted the invitation already.")
    invitation.refresh_from_db()


def find(token: str) -> Invitation:
    """The open invitation behind a link. Raises NotFound for one that is unknown, used, revoked or too old."""
    invitation = _open().filter(token=token).first()
    if invitation is None:
        raise NotFound("This invitation is not open any more. Please ask for a new one.")
    return invitation


def accept(token: str, user: User) -> Invitation:
    """Give the account what the invitation promises, once. Raises NotFound as `find` does."""
    with transaction.atomic():
        # The conditional UPDATE decides between two tabs: the second one waits here and then changes no row.
        if not _open().filter(token=token).update(accepted_at=timezone.now(), accepted_by=user):
            raise NotFound("This invitation is not open any more. Please ask for a new one.")
        invitation = Invitation.objects.get(token=token)
        if invitation.role == Role.LABELER:
            why = f"Accepted the invitation by {invitation.created_by}"
            enroll(user, cohort=invitation.cohort, screened=invitation.screened, why=why)
        else:
            give_role(user, invitation.role)
    return invitation


def _open() -> QuerySet[Invitation]:
    return Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
