"""Which days, and whose."""

from django import forms

from labeling.errors import BadInput
from labeling.models import Labeler
from labeling.pay.timesheet import Period, this_month


class PeriodForm(forms.Form):
    """The days of a timesheet; left empty, the current month."""

    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To, included", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    period: Period

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        self.period = month = this_month()
        if not self.errors:
            try:
                self.period = Period(cleaned.get("first") or month.first, cleaned.get("last") or month.last)
            except BadInput as error:
                self.add_error(None, error.sentence)
        return cleaned


class TimesheetForm(PeriodForm):
    """For admins, who may look at one labeler alone."""

    labeler = forms.ModelChoiceField(
        Labeler.objects.filter(is_simulated=False), to_field_name="pseudonym", required=False, empty_label="Everybody"
    )
    field_order = ["labeler", "first", "last"]
