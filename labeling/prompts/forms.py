"""Filtering the list of prompts, and taking prompts in from a file or a field."""

from typing import Any

from django import forms

from labeling.models import Prompt, Split, UseCase
from labeling.prompts.intake import Row, parse


class PromptFilter(forms.Form):
    """All fields are optional; a value that does not exist filters nothing."""

    q = forms.CharField(
        label="Search", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    split = forms.ChoiceField(required=False, choices=[("", "all splits"), *Split.choices])
    use_case = forms.ChoiceField(label="Use case", required=False, choices=[("", "all use cases"), *UseCase.choices])
    source = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Prompt.objects.order_by("source").values_list("source", flat=True).distinct()
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = [("", "all sources"), *((name, name) for name in sources)]


class PromptImport(forms.Form):
    """A file, or lines pasted into the field."""

    file = forms.FileField(
        required=False,
        help_text="JSONL, CSV with a header, or plain text with one prompt a line. UTF-8.",
    )
    lines = forms.CharField(
        label="Or paste them here",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
        help_text="One prompt a line, or JSON objects, one a line.",
    )
    source = forms.CharField(max_length=50, help_text="Where they come from, to find them again.")
    owner_key = forms.CharField(
        label="Owner field",
        max_length=50,
        initial="owner",
        help_text="Which field says whose prompt it is. An owner has at most 200 prompts and is in one split.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        has_file, has_lines = bool(cleaned.get("file")), bool(cleaned.get("lines", "").strip())
        if has_file == has_lines:
            raise forms.ValidationError("Choose a file or paste lines" + (", not both." if has_file else "."))
        return cleaned

    def rows(self) -> list[Row]:
        """What was sent, row by row. Raises BadInput where the file as a whole cannot be read."""
        file = self.cleaned_data["file"]
        if file:
            return parse(file.read(), file.name)
        lines = self.cleaned_data["lines"]
        is_json = lines.lstrip().startswith("{")
        return parse(lines.encode(errors="surrogatepass"), "pasted.jsonl" if is_json else "pasted.txt")
