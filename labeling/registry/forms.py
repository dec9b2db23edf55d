"""What researchers type: filters, reasons, the card's text, a prompt to try."""

from typing import Any

from django import forms

from labeling.registry import playground
from labeling.registry.serving import WHY
from training.models import Checkpoint


class CheckpointFilter(forms.Form):
    q = forms.CharField(required=False, label="Search", strip=True, max_length=100, widget=forms.SearchInput)
    kind = forms.ChoiceField(required=False, choices=[("", "all kinds"), *Checkpoint.Kind.choices])


def _why(what: str) -> forms.CharField:
    return forms.CharField(
        label="Why", max_length=WHY, help_text=what, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )


class PromoteForm(forms.Form):
    """`seen`: the promotion that stood when the page was opened."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    why = _why("It stays in the history, with your name.")


class DeleteForm(forms.Form):
    typed = forms.CharField(
        label="The checkpoint’s name, to confirm",
        strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    why = _why("Whoever looks for the weights later reads it here.")


class CardForm(forms.Form):
    base = forms.IntegerField(widget=forms.HiddenInput)
    text = forms.CharField(
        required=False,
        label="What it is for",
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}),
        help_text="Markdown: who may use it for what, what it must not be used for, what you know of its weaknesses.",
    )


class TryForm(forms.Form):
    """A prompt and how it is answered. `after` and `sample`: the answer of an earlier try that it goes on from."""

    after = forms.UUIDField(required=False, widget=forms.HiddenInput)
    answer = forms.CharField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(
        label="Prompt",
        strip=False,
        required=False,  # the sentence about an empty one is the service's
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
    )
    first = forms.ModelChoiceField(Checkpoint.objects.none(), label="Policy", empty_label="choose")
    second = forms.ModelChoiceField(Checkpoint.objects.none(), label="Beside it", required=False, empty_label="nothing")
    n = forms.IntegerField(label="Answers of each", initial=1, min_value=1, max_value=playground.MOST_EACH)
    temperature = forms.FloatField(initial=1.0, min_value=0, max_value=5, help_text="0: always the most probable")
    top_p = forms.FloatField(initial=1.0, min_value=0.01, max_value=1, label="Top-p")
    response_length = forms.IntegerField(label="At most, in tokens", initial=128, min_value=1, max_value=4000)
    seed = forms.IntegerField(initial=1, min_value=0, max_value=2_147_483_647)
    blind = forms.BooleanField(required=False, label="Blind: do not say which is which until I ask")

    def __init__(self, *args: Any, policies: list[Checkpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # All of them, so that one whose weights went meanwhile gets the service's sentence and not “invalid choice”.
        for name in ("first", "second"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY)
            chosen = self.data.get(name) if self.is_bound else None
            offered = [(str(row.pk), row.name) for row in policies]
            if chosen and chosen not in dict(offered) and chosen.isdecimal():
                gone = Checkpoint.objects.filter(pk=chosen).first()
                offered += [(chosen, f"{gone} (gone)")] if gone else []
            empty = ("", str(field.empty_label))
            field.widget.choices = [empty, *offered]

    def settings(self) -> playground.Settings:
        return playground.Settings(**{name: self.cleaned_data[name] for name in playground.Settings._fields})

    def chosen(self) -> list[Checkpoint]:
        return [row for row in (self.cleaned_data["first"], self.cleaned_data["second"]) if row]
