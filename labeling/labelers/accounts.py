"""Sign-up is by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitationOnly(DefaultAccountAdapter):
    """Opens the sign-up form for a session that came through an open invitation's link."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
