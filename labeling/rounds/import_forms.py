"""What a first round needs from outside: texts, and a base model."""

from typing import Any

from django import forms

from training.contract.specs import SpecError, spec_from_dict


class TextImport(forms.Form):
    """A file of texts."""

    file = forms.FileField(help_text="UTF-8; it may be packed by gzip.")
    cut = forms.ChoiceField(
        label="A text ends",
        choices=[
            ("blank", "at a blank line"),
            ("lines", "at the end of the line"),
            ("jsonl", 'with its JSON object, one a line, as {"text": "…"}'),
        ],
    )
    held_out = forms.FloatField(
        label="Share held out",
        min_value=0,
        max_value=0.5,
        initial=0.02,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text="A second dataset, on which the language-model loss is measured. 0 makes one dataset alone.",
    )


class BaseImport(forms.Form):
    """A causal language model with its tokenizer."""

    model = forms.CharField(
        label="Hub id or folder",
        max_length=300,
        help_text="As EleutherAI/pythia-160m, or the absolute path of a folder on the machine that trains, which "
        "from_pretrained opens.",
    )
    revision = forms.CharField(
        required=False, max_length=100, help_text="Of the hub: a branch, tag or commit. Empty: the main branch."
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                spec_from_dict("import_model", self.spec())
            except SpecError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def spec(self) -> dict[str, Any]:
        values = {name: self.cleaned_data.get(name, "") for name in ("model", "revision")}
        return {name: value for name, value in values.items() if value}
