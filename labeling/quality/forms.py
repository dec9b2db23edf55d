"""The researcher's forms: settings of a batch, the words and mode of a gold answer, a question to the queue."""

from dataclasses import fields
from typing import Any

from django import forms

from labeling.errors import BadInput
from labeling.models import Batch, GoldAnswer, Kind, Labeler, WorkItem
from labeling.queue.settings import MAX_DRIFT, MAX_LABELERS, MAX_WEIGHT, Settings

STEP = {"step": "0.01"}


class SettingsForm(forms.Form):
    """How a batch is dealt out. What a batch without rankings has no use for is left out."""

    weight = forms.IntegerField(
        min_value=1,
        max_value=MAX_WEIGHT,
        help_text="Open batches of the same kind and cohort share the labelers in the proportion of their weights.",
    )
    calibration_share = forms.FloatField(
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs=STEP),
        help_text="Of the items, from 0 to 1: drawn at random, and nobody can tell them from others. 0.15 is usual.",
    )
    calibration_labelers = forms.IntegerField(
        label="Labelers of a calibration item", min_value=1, max_value=MAX_LABELERS
    )
    most_labelers = forms.IntegerField(
        label="Most labelers of an item",
        min_value=1,
        max_value=MAX_LABELERS,
        help_text="Where labelers disagree, one more is asked at a time, up to so many in all.",
    )
    opposed_share = forms.FloatField(
        label="Disagreement above",
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs=STEP),
        help_text="Of the pairs of completions, the share that two labelers order the other way round; the mean over "
        "every two of them.",
    )
    gold_share = forms.FloatField(
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs=STEP),
        help_text="Rankings of gold items for each ranking of the batch’s own, on top of these.",
    )
    drift_count = forms.IntegerField(
        label="Drift items",
        min_value=0,
        max_value=MAX_DRIFT,
        help_text="So many of the known comparisons recur in this batch, each at most once for every labeler.",
    )

    def __init__(self, *args: Any, batch: Batch, **options: Any) -> None:
        super().__init__(*args, **options)
        self.batch = batch
        if batch.kind != Kind.RANK:
            for name in list(self.fields):
                if name != "weight":
                    del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.settings(cleaned).checked()
            except BadInput as error:
                self.add_error(None, error.sentence)
        return cleaned

    def settings(self, cleaned: dict[str, Any] | None = None) -> Settings:
        """The batch's settings with what was sent."""
        values = {field.name: getattr(self.batch, field.name) for field in fields(Settings)}
        return Settings(**{**values, **(self.cleaned_data if cleaned is None else cleaned)})


class GoldForm(forms.Form):
    """What stands beside the places."""

    mode = forms.ChoiceField(choices=GoldAnswer.Mode.choices, initial=GoldAnswer.Mode.SILENT)
    explanation = forms.CharField(
        label="Why",
        required=False,  # the service says what is missing, as for every other way in
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text="Labelers read it after a teaching item. Name an answer by what it says: its number is another one "
        "for everybody.",
    )
    base = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class WhyForm(forms.Form):
    """Why did this labeler not get this item?"""

    labeler = forms.CharField(max_length=20, help_text="The pseudonym.")
    item = forms.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The number of the item.")

    def clean_labeler(self) -> Labeler:
        try:
            return Labeler.objects.get(pseudonym=self.cleaned_data["labeler"].strip())
        except Labeler.DoesNotExist:
            raise forms.ValidationError("There is no labeler of this pseudonym.") from None

    def clean_item(self) -> WorkItem:
        try:
            return WorkItem.objects.select_related("batch").get(pk=self.cleaned_data["item"])
        except WorkItem.DoesNotExist:
            raise forms.ValidationError("There is no item of this number.") from None
