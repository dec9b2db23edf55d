"""Who is logged in, in one look; and sign-up by invitation only.

The link's token waits in the session until the account is made.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django import forms
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model
from django.http import HttpRequest

from labeling.labelers.models import Invitation, Labeler, User

SESSION_KEY = "invitation"


class OneLook(AuthenticationBackend):
    """allauth's, with the account, its roles and its labeler read in one query: every request needs all three."""

    def get_user(self, user_id: Any) -> User | None:
        with connection.cursor() as cursor:
            cursor.execute(_account_sql(), [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        user, labeler, names = _split(row)
        user.__dict__["group_names"] = names
        # What a join would leave behind: a labeler, or the knowledge that there is none.
        user._state.fields_cache["labeler"] = labeler
        return user if self.user_can_authenticate(user) else None


@cache  # through the ORM, building and compiling it takes as long as running it
def _account_sql() -> str:
    def columns(model: type[Model], alias: str) -> str:
        return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)

    return f"""
        SELECT {columns(User, "u")}, {columns(Labeler, "l")}, ARRAY(
            SELECT g.name FROM labeling_user_groups m JOIN auth_group g ON g.id = m.group_id WHERE m.user_id = u.id)
        FROM labeling_user u LEFT JOIN labeling_labeler l ON l.user_id = u.id
        WHERE u.id = %s"""


def _split(row: Sequence[Any]) -> tuple[User, Labeler | None, list[str]]:
    of_user = len(User._meta.concrete_fields)
    user = User.from_db(DEFAULT_DB_ALIAS, [], row[:of_user])
    if row[of_user] is None:
        return user, None, row[-1]
    labeler = Labeler.from_db(DEFAULT_DB_ALIAS, [], row[of_user:-1])
    labeler._state.fields_cache["user"] = user
    return user, labeler, row[-1]


def remember_invitation(request: HttpRequest, invitation: Invitation) -> None:
    """Lets this session sign up with the invitation, and prefills its address."""
    request.session[SESSION_KEY] = invitation.token
    request.session["account_verified_email"] = invitation.email  # allauth's name


def forget_invitation(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def open_invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation that this session came through, while it is still open."""
    invitation = Invitation.objects.filter(token=request.session.get(SESSION_KEY, "")).first()
    return invitation if invitation and invitation.is_open else None


class InvitationOnly(DefaultAccountAdapter):
    """Opens the sign-up form for a session that came through an open invitation's link."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return open_invitation_of(request) is not None

    def clean_email(self, email: str) -> str:
        """The address is not verified again, so it must be the one that the link was sent to."""
        email = super().clean_email(email)
        invitation = open_invitation_of(self.request)
        if invitation and invitation.email.lower() != email.lower():
            raise forms.ValidationError(f"The invitation is for {invitation.email}; use that address.")
        return email

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """'Successfully signed in as …' on top of one's work is noise; what matters has a page of its own."""
