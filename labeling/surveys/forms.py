"""Opening a survey. What a labeler ticks is read in views.py: the questions are the survey's own."""

from django import forms

from labeling.models import Survey


class OpenForm(forms.Form):
    """Which questions, and what labelers read above them."""

    kind = forms.ChoiceField(choices=Survey.Kind, label="Questions")
    title = forms.CharField(max_length=200, help_text="What labelers read above it, as “The work, spring 2026”.")
