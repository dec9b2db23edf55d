"""Signing up, inviting, changing a labeler's state, and what a labeler is paid."""

from typing import Any

from django import forms
from django.http import HttpRequest

from labeling.labelers.accounts import forget_invitation, open_invitation_of
from labeling.labelers.invite import DAYS, MOST_DAYS, USUALLY_SCREENED, accept
from labeling.labelers.models import Cohort, Labeler, Role, User


class WhoAreYou(forms.Form):
    """allauth's sign-up form with a name; saving it accepts the invitation."""

    name = forms.CharField(label="Your name", max_length=200, help_text="For the people who run this; never in data.")
    field_order = ["email", "name", "password1", "password2"]

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        invitation = open_invitation_of(request)
        assert invitation is not None, "the form is only open to sessions with an open invitation"
        accept(invitation.token, user)
        forget_invitation(request)


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices)
    cohort = forms.ChoiceField(
        choices=[("", "(not a labeler)"), *Cohort.choices],
        required=False,
        initial=Cohort.TRAINING,
        help_text="Held-out labelers judge and never produce training data.",
    )
    screened = forms.ChoiceField(
        label="Screened first",
        choices=[("", "As usual for the cohort: training yes, held-out no"), ("yes", "Yes"), ("no", "No")],
        required=False,
        help_text="A labeler who is screened works once an admin has selected them.",
    )
    days = forms.IntegerField(
        label="Open for days",
        required=False,
        initial=DAYS,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=f"1 to {MOST_DAYS}; empty is {DAYS}.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("role") == Role.LABELER and not cleaned.get("cohort"):
            self.add_error("cohort", "A labeler needs a cohort.")
        if cleaned.get("role") != Role.LABELER:
            cleaned["cohort"] = ""
        usual = USUALLY_SCREENED.get(cleaned.get("cohort", ""), False)
        cleaned["screened"] = {"yes": True, "no": False}.get(cleaned.get("screened", ""), usual)
        cleaned["days"] = cleaned.get("days") or DAYS
        return cleaned


class ChangeForm(forms.Form):
    """A labeler's next state: why, and the state that the person who decides has seen."""

    why = forms.CharField(label="Reason", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class RateForm(forms.Form):
    """A labeler's pay for an hour; left empty where none is known."""

    rate = forms.DecimalField(label="Per hour", required=False, min_value=0, max_digits=8, decimal_places=2)
    currency = forms.CharField(max_length=3, min_length=3)

    @classmethod
    def of(cls, labeler: Labeler) -> "RateForm":
        """The form as it stands in this labeler's row."""
        initial = {"rate": labeler.hourly_rate, "currency": labeler.currency}
        return cls(initial=initial, auto_id=f"{labeler.pseudonym}-%s")
