"""What the agreement page may be narrowed to."""

from collections.abc import Mapping
from typing import Any

from django import forms

from labeling.agreement.rows import Filters
from labeling.errors import BadInput
from labeling.models import Batch, Cohort, Guideline, Kind, Purpose, Round, UseCase


class AgreementFilter(forms.Form):
    """All fields are optional."""

    use_case = forms.ChoiceField(label="Use case", required=False, choices=[("", "all"), *UseCase.choices])
    cohort = forms.ChoiceField(required=False, choices=[("", "both"), *Cohort.choices])
    purpose = forms.ChoiceField(required=False, choices=[("", "both"), *Purpose.choices])
    batch = forms.ModelChoiceField(Batch.objects.none(), required=False, empty_label="all")
    round = forms.ModelChoiceField(Round.objects.none(), required=False, empty_label="all")
    guideline = forms.ModelChoiceField(Guideline.objects.none(), required=False, empty_label="all")
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ranked = Batch.objects.filter(kind=Kind.RANK)
        for name, rows in {
            "batch": ranked,
            "round": Round.objects.filter(stages__batch__in=ranked).distinct(),
            "guideline": Guideline.objects.filter(batches__in=ranked).distinct(),
        }.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def named(self) -> list[tuple[str, str]]:
        """What is chosen, as a person says it."""
        chosen = [(field.label, self.cleaned_data.get(field.name)) for field in self]
        codes = dict([*UseCase.choices, *Cohort.choices, *Purpose.choices])
        return [
            (str(label), codes.get(value, value) if isinstance(value, str) else str(value))
            for label, value in chosen
            if value
        ]

    def filters(self) -> Filters:
        """Raises BadInput for what no link and no field of ours says."""
        if not self.is_valid():
            name, [error, *_] = next(iter(self.errors.items()))
            raise BadInput(f"“{self.data.get(name)}” does not fit “{self[name].label}”: {error}")
        return Filters(**{name: getattr(value, "pk", value) or None for name, value in self.cleaned_data.items()})


def filters_of(query: Mapping[str, Any]) -> Filters:
    """What an address's query says. Raises BadInput."""
    return AgreementFilter(query).filters()
