"""A screening set, its items one by one or from a file, and the reason for a decision."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from labeling.screening import items
from labeling.screening.models import ScreeningItem
from labeling.screening.selection import LONGEST_REASON

Kind = ScreeningItem.Kind


class SetForm(forms.Form):
    """A set's name, and from where on an answer is good enough: the paper's soft cut-offs to begin with."""

    name = forms.CharField(max_length=200, help_text="Candidates do not see it.")
    flag_cutoff = forms.IntegerField(label="Flags: agreement from, in %", initial=75, min_value=0, max_value=100)
    ranking_cutoff = forms.IntegerField(label="Rankings: agreement from, in %", initial=75, min_value=0, max_value=100)
    grade_cutoff = forms.DecimalField(
        label="Demonstrations: mean grade from, of 7",
        initial=Decimal(6),
        min_value=1,
        max_value=7,
        max_digits=3,
        decimal_places=2,
    )


def _text(label: str, rows: int = 4, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, strip=False, widget=forms.Textarea(attrs={"rows": rows, "dir": "auto"}), **more)


class ItemForm(forms.Form):
    """One item of the kind that the form was made for."""

    LABELS = {
        Kind.FLAGS: "Text to flag",
        Kind.RANK: "Prompt",
        Kind.WRITE: "Sensitive prompt",
        Kind.REPORT: "Question",
    }

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = Kind(kind)
        self.fields["text"] = _text(self.LABELS[self.kind])
        if self.kind == Kind.FLAGS:
            self.fields["parts"] = _text(
                "Flags, one a line", 3, help_text="Each is answered yes or no: “Contains a threat”."
            )
        elif self.kind == Kind.RANK:
            self.fields["parts"] = _text(
                "Completions", 10, help_text="Two to nine; between two of them a line with three dashes: ---"
            )

    def item(self) -> items.Item:
        """What the form holds. Raises BadInput."""
        text, parts = self.cleaned_data["text"], str(self.cleaned_data.get("parts", "")).replace("\r\n", "\n")
        if self.kind == Kind.FLAGS:
            return items.checked(self.kind, text, [line for line in parts.split("\n") if line.strip()])
        if self.kind == Kind.RANK:
            return items.checked(self.kind, text, re.split(r"^---[ \t]*$", parts, flags=re.MULTILINE))
        return items.checked(self.kind, text)


class ImportForm(forms.Form):
    """A file of items, or lines pasted into the field."""

    file = forms.FileField(label="JSON Lines file", required=False)
    lines = _text("Or paste the lines here", 6, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        has_file, has_lines = bool(cleaned.get("file")), bool(cleaned.get("lines", "").strip())
        if has_file == has_lines:
            raise forms.ValidationError("Choose a file or paste lines" + (", not both." if has_file else "."))
        return cleaned

    def items(self) -> list[items.Item]:
        """What was sent. Raises BadInput for the first line that is no item."""
        file = self.cleaned_data["file"]
        content = file.read() if file else self.cleaned_data["lines"].encode(errors="surrogatepass")
        return items.parse(content)


class DecisionForm(forms.Form):
    """Select or decline; the reason is due where it goes against the cut-offs."""

    chosen = forms.TypedChoiceField(
        choices=[("yes", "Select"), ("no", "Decline")], coerce=lambda said: said == "yes", empty_value=None
    )
    why = forms.CharField(required=False, max_length=LONGEST_REASON)
