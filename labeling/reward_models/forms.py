"""What the work list of contradictions may be narrowed to."""

from collections.abc import Iterable

from django import forms

from labeling.errors import BadInput
from labeling.models import Cohort, UseCase
from labeling.reward_models.contradictions import LEAST, Contradiction
from labeling.reward_models.models import Verdict

LEASTS = [(f"{one:.2f}", f"{one:.0%}") for one in (LEAST, 0.75, 0.9, 0.95)]
WORDS = [(key, label) for key, label in Verdict.Word.choices if key != Verdict.Word.OPEN]
SAID = [("", "nothing yet"), ("all", "whatever"), *WORDS]


class ContradictionFilter(forms.Form):
    """All fields are optional."""

    use_case = forms.ChoiceField(label="Use case", required=False, choices=[("", "all"), *UseCase.choices])
    cohort = forms.ChoiceField(required=False, choices=[("", "both"), *Cohort.choices])
    labeler = forms.CharField(required=False, max_length=30)
    least = forms.ChoiceField(label="Confidence from", required=False, choices=LEASTS)
    said = forms.ChoiceField(label="What was said", required=False, choices=SAID)

    def narrowed(self, found: Iterable[Contradiction], verdicts: dict[int, Verdict]) -> list[Contradiction]:
        """Raises BadInput for what no field of ours says."""
        if not self.is_valid():
            name, [error, *_] = next(iter(self.errors.items()))
            raise BadInput(f"“{self.data.get(name)}” does not fit “{self[name].label}”: {error}")
        asked = self.cleaned_data
        equal = {name: asked[name] for name in ("use_case", "cohort", "labeler") if asked[name]}
        least = float(asked["least"] or LEAST)
        return [
            one
            for one in found
            if one.confidence >= least
            and all(getattr(one, name) == value for name, value in equal.items())
            and asked["said"] in ("all", word_on(one, verdicts))
        ]


def word_on(one: Contradiction, verdicts: dict[int, Verdict]) -> str:
    """The word that holds; empty where nothing was said, or it was taken back."""
    verdict = verdicts.get(one.ranking)
    return "" if verdict is None or verdict.word == Verdict.Word.OPEN else verdict.word
