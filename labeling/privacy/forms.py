"""A labeler's wish, and the admin's act."""

from django import forms

from labeling.models import Choice


class WishForm(forms.Form):
    """What is to become of the labels."""

    wish = forms.ChoiceField(label="And my labels?", choices=Choice, widget=forms.RadioSelect)


class EraseForm(forms.Form):
    """The act, with its reason, confirmed by typing the pseudonym."""

    choice = forms.ChoiceField(
        label="The labels",
        choices=[
            (Choice.KEEP, "stay in use, under the pseudonym"),
            (Choice.WITHDRAW, "are withdrawn from future datasets"),
        ],
        widget=forms.RadioSelect,
    )
    why = forms.CharField(
        label="Why", max_length=500, help_text="Kept with the record: who asked, and how. No names, please."
    )
    typed = forms.CharField(
        label="Type the pseudonym to confirm",
        strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
