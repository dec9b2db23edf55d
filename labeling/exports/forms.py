"""What is frozen by hand, and whose labels are left out."""

from typing import Any

from django import forms

from labeling.labelers.models import Labeler
from labeling.models import Batch, Kind, Split


class FreezeForm(forms.Form):
    batches = forms.ModelMultipleChoiceField(
        Batch.objects.none(), help_text="Their rankings go into one file; hold Ctrl for several."
    )
    split = forms.ChoiceField(required=False, choices=[("", "all"), *Split.choices])
    adjudicated = forms.BooleanField(
        required=False,
        label="Where an item was adjudicated, take the decision in place of its rankings",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["batches"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Batch.objects.filter(kind=Kind.RANK)


class ExclusionForm(forms.Form):
    labeler = forms.ModelChoiceField(Labeler.objects.all(), to_field_name="pseudonym", empty_label="choose")
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It stands on every dataset that it changes.",
    )
