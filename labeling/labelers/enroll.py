"""Making an account a labeler, and giving it its role."""

import secrets

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from labeling.errors import Conflict
from labeling.labelers import standing
from labeling.labelers.models import Labeler, Role, User

# Without letters and digits that look alike when somebody reads a pseudonym aloud.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def give_role(user: User, role: str) -> None:
    group, _ = Group.objects.get_or_create(name=Role(role).value)
    user.groups.add(group)
    user.__dict__.pop("roles", None)  # the cached property


def enroll(
    user: User, *, cohort: str, is_simulated: bool = False, screened: bool = False, why: str = "Enrolled"
) -> Labeler:
    """The account's labeler, under a fresh pseudonym: active from now on, or in screening first.

    Raises Conflict where there is one.
    """
    with transaction.atomic():
        if Labeler.objects.filter(user=user).exists():
            raise Conflict(f"{user} is a labeler already.")
        give_role(user, Role.LABELER)
        for _ in range(10):
            pseudonym = "labeler-" + "".join(secrets.choice(ALPHABET) for _ in range(6))
            try:
                with transaction.atomic():
                    labeler = Labeler.objects.create(
                        user=user,
                        pseudonym=pseudonym,
                        cohort=cohort,
                        state=Labeler.State.SCREENING if screened else Labeler.State.ACTIVE,
                        is_simulated=is_simulated,
                        must_read=not is_simulated,  # a program has nothing to read
                    )
                    standing.begin(labeler, why=why)
                    return labeler
            except IntegrityError:
                if Labeler.objects.filter(user=user).exists():
                    raise Conflict(f"{user} is a labeler already.") from None
    raise Conflict("No free pseudonym was found; please try again.")
