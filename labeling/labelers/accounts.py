"""Who is logged in, in one look; and sign-up by invitation only.

The link's token waits in the session until the account is made.
"""

from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest

from labeling.labelers.models import Invitation, User

SESSION_KEY = "invitation"


class OneLook(AuthenticationBackend):
    """allauth's, with the account, its roles and its labeler read in one query: every request needs all three."""

    def get_user(self, user_id: Any) -> User | None:
        try:
            user = _accounts().get(pk=user_id)
        except User.DoesNotExist:
            return None
        return user if self.user_can_authenticate(user) else None


@cache  # building it takes as long as running it
def _accounts() -> QuerySet[User]:
    names = User.groups.through.objects.filter(user=OuterRef("pk")).values("group__name")
    return User.objects.select_related("labeler").annotate(group_names=ArraySubquery(names))


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
