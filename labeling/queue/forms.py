"""What comes with a skip."""

from django import forms

SKIP_REASONS = [
    ("unclear", "Unclear"),
    ("outside-my-knowledge", "Outside my knowledge"),
    ("uncomfortable", "Uncomfortable"),
    ("broken", "Broken"),
    ("language", "Language"),
]


class SkipForm(forms.Form):
    """A reason helps, but nobody must give one."""

    reason = forms.ChoiceField(choices=[("", "No reason"), *SKIP_REASONS], required=False)
