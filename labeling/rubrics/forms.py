"""Choosing what labelers are asked."""

from typing import Any

from django import forms

from labeling.models import Rubric
from labeling.rubrics import first


def _questions(questions: list[first.Question]) -> list[tuple[str, str]]:
    return [(question["key"], question["label"]) for question in questions]


class RubricForm(forms.Form):
    """The next version of the rubric."""

    ratings = forms.ChoiceField(label="Ratings from 1 to 7", choices=Rubric.Ratings.choices, widget=forms.RadioSelect)
    flags = forms.MultipleChoiceField(
        label="Asked of every completion", choices=_questions(first.FLAGS), required=False
    )
    traits = forms.MultipleChoiceField(
        label="Asked of the prompt, while writing", choices=_questions(first.TRAITS), required=False
    )

    @classmethod
    def showing(cls, rubric: Rubric) -> "RubricForm":
        """The form, filled in as this version is."""
        return cls(initial=asked_by(rubric))

    def chosen(self, name: str) -> list[str]:
        """What is ticked now: what was sent, or what the shown version asks."""
        value: Any = self[name].value()
        return list(value or [])


def asked_by(rubric: Rubric) -> dict[str, Any]:
    """A version as the form says it."""
    return {
        "ratings": rubric.ratings,
        "flags": [question["key"] for question in rubric.flags],
        "traits": [question["key"] for question in rubric.traits],
    }
