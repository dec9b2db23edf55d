"""Asking, answering, announcing. What a text must be is said by the doors in talk.py."""

from typing import Any

from django import forms

from labeling.models import Cohort, Guideline
from labeling.threads import precedents


class MessageForm(forms.Form):
    """A question or an answer."""

    text = forms.CharField(
        label="Message",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "spellcheck": "true"}),
    )


class AskForm(MessageForm):
    """A question, and the piece of work that it is about, where it is about one."""

    assignment = forms.UUIDField(required=False, widget=forms.HiddenInput)


class AnnounceForm(MessageForm):
    """Something for all labelers, or for those of a cohort."""

    title = forms.CharField(max_length=200)
    cohort = forms.ChoiceField(label="To", choices=[("", "All labelers"), *Cohort.choices], required=False)
    field_order = ["cohort", "title", "text"]


class PrecedentForm(forms.Form):
    """A question and its answer as they are to stand beside a guideline."""

    guideline = forms.ModelChoiceField(Guideline.objects.none(), label="Beside", empty_label=None)
    question = forms.CharField(
        label="The case",
        strip=False,
        help_text="In words that do not tell who asked. All labelers read it.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    answer = forms.CharField(
        label="How to decide it", strip=False, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["guideline"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = precedents.in_force()
