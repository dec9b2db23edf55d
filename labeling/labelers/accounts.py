"""Sign-up is by invitation only: the link's token waits in the session until the account is made."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.http import HttpRequest

from labeling.labelers.models import Invitation

SESSION_KEY = "invitation"


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
