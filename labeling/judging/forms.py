"""What is asked for when a judgement is opened or extended."""

import json
from typing import Any

from django import forms

from labeling.judging.open import FEWEST, MOST, SPLITS, Wish
from labeling.models import Cohort, Guideline, Prompt, Purpose, Split, UseCase
from training.models import Checkpoint

HALF_WIDTH, DIFFERENCE = "half_width", "difference"
SPEC = {"temperature": 1.0, "response_length": 300}


class Policies(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {obj.created_at:%Y-%m-%d}"


class SizeForm(forms.Form):
    """What the size is computed from; the opening form has these fields too."""

    prompts = forms.IntegerField(label="Prompts", min_value=1, max_value=20_000, initial=200)
    judges = forms.IntegerField(label="Judges a prompt", min_value=1, max_value=100, initial=1)
    cohort = forms.ChoiceField(label="Labelers", choices=Cohort.choices, initial=Cohort.HELD_OUT)
    wish = forms.ChoiceField(
        label="You want to",
        choices=[(HALF_WIDTH, "know a win rate to within ±"), (DIFFERENCE, "find a difference from 50 % of")],
        initial=HALF_WIDTH,
        required=False,
    )
    points = forms.FloatField(label="Percentage points", min_value=0.5, max_value=50, initial=5, required=False)

    def wished(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "prompts": cleaned["prompts"],
            "judges": cleaned["judges"],
            "cohort": cleaned["cohort"],
            "wished": (cleaned["points"] or 5) / 100,
            "power": cleaned["wish"] == DIFFERENCE,
        }


class OpenForm(SizeForm):
    name = forms.CharField(max_length=80, help_text="Labelers do not see it.")
    policies = Policies(
        Checkpoint.objects.none(),
        help_text=f"{FEWEST} to {MOST}. Each answers every prompt once; labelers see the answers alone, shuffled.",
    )
    against = forms.ModelChoiceField(
        Checkpoint.objects.none(),
        label="Compared with",
        required=False,
        empty_label="the first chosen",
        help_text="The others are shown against this one; the full table of pairs is there too.",
    )
    split = forms.ChoiceField(
        choices=[(split.value, split.label) for split in SPLITS],
        initial=Split.TEST,
        help_text="Prompts that no policy was trained on.",
    )
    use_case = forms.ChoiceField(label="Use case", required=False, choices=[("", "all"), *UseCase.choices])
    source = forms.ChoiceField(required=False)
    guideline = forms.ModelChoiceField(Guideline.objects.none(), empty_label=None)
    shown_from = forms.IntegerField(
        label="Show results from, in % of the labels",
        min_value=1,
        max_value=100,
        initial=100,
        help_text="Below 100 you look before the end. Who stops when the result pleases has intervals that are too "
        "narrow; the page will say that you could look.",
    )
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=1)
    spec = forms.CharField(
        label="Settings for sampling",
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
        help_text="JSON, as for the recipe sample.",
    )

    field_order = [
        "name", "policies", "against", "split", "use_case", "source", "wish", "points", "prompts", "judges", "cohort",
        "guideline", "shown_from", "seed", "spec",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policies = Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY, weights_deleted_at=None)
        policies = policies.exclude(path__contains="#")  # a model behind a server has no weights here
        for name, rows in {
            "policies": policies,
            "against": policies,
            "guideline": Guideline.objects.filter(purpose=Purpose.EVALUATION).order_by("-version"),
        }.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        self.fields["guideline"].initial = Guideline.objects.filter(purpose=Purpose.EVALUATION).first()
        self.fields["spec"].initial = json.dumps(SPEC, indent=1)
        sources = Prompt.objects.filter(split__in=SPLITS).order_by("source").values_list("source", flat=True).distinct()
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = [("", "all"), *((name, name) for name in sources)]

    def clean_spec(self) -> dict[str, Any]:
        try:
            spec = json.loads(self.cleaned_data["spec"])
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(spec, dict):
            raise forms.ValidationError("The settings are a JSON object.")
        return spec

    def as_wish(self) -> Wish:
        cleaned = self.cleaned_data
        policies, against = list(cleaned["policies"].order_by("created_at", "pk")), cleaned["against"]
        if against:
            policies = [against, *(policy for policy in policies if policy != against)]
        names = ("name", "prompts", "judges", "guideline", "split", "use_case", "source", "cohort", "seed")
        return Wish(
            policies=policies,
            spec=cleaned["spec"],
            shown_from=cleaned["shown_from"],
            **{name: cleaned[name] for name in names},
        )


class MoreForm(forms.Form):
    prompts = forms.IntegerField(label="More prompts", min_value=1, max_value=20_000, required=False)
    judges = forms.IntegerField(label="Judges a prompt, in all", min_value=1, max_value=100, required=False)
