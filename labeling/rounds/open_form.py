"""The form that opens a round. It reads fields and shows sentences; `opening.problems` alone says what cannot be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Count

from labeling.models import Prompt, Round, Split, User
from labeling.rounds import estimate, form_fields, form_values, opening, plan, spec_form
from labeling.rounds.checks import Problem
from labeling.rounds.defaults import SPLIT_OF

STAND_INS = "Checkpoints that are here, where the round does not make its own."
# Where a sentence is shown whose setting is no field of its own.
SHOWN_AT = {"sample_from": "from__0__samples", "choose": "choose__by", "mix": "mixes", "run": "course"}


@dataclass(frozen=True)
class Placed:
    """A field, and the parts of the loop that have a use for it; all where it is empty."""

    field: forms.BoundField
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Fields that belong together; `parts` of the loop need them, all where it is empty."""

    title: str
    about: str
    fields: list[Placed]
    parts: tuple[str, ...] = ()
    layout: str = "field-grid"

    @property
    def has_errors(self) -> bool:
        return any(placed.field.errors for placed in self.fields)


class RoundForm(forms.Form):
    """All that can be set of a round."""

    def __init__(self, data: Any = None, *, start: Mapping[str, Any] | None = None, **options: Any) -> None:
        initial = {"seed": 1, "token": uuid4().hex, **form_values.initial(start or {}), **options.pop("initial", {})}
        super().__init__(data, initial=initial, **options)
        self.fields |= form_fields.all_of(form_fields.Rows.read())
        for stage in spec_form.RECIPES:
            self.fields |= spec_form.fields_of(stage)
        self.available = available(self._now("prompts__source"), self._now("prompts__use_cases"))
        for name in form_fields.COUNTS:
            split = SPLIT_OF[name]
            there = self.available.get(split, 0)
            field = self.fields[f"prompts__{name}"]
            field.help_text = f"{there:,} {Split(split).label.lower()} prompts there. {field.help_text}"

    def _now(self, name: str) -> Any:
        """What stands in a field, before it is cleaned."""
        if not self.is_bound:
            return self.initial.get(name)
        return self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name))

    def settings(self) -> dict[str, Any]:
        return form_values.settings_of(self.cleaned_data)

    def problems(self) -> list[Problem]:
        """All that keeps this round from being opened; each stands at its field, or above the form."""
        if not self.is_valid():
            return [
                Problem(name, f"{self._label(name)}: {sentence}")
                for name, sentences in self.errors.items()
                for sentence in sentences
            ]
        values = self.cleaned_data
        seed = values["seed"] if values["seed"] is not None else 1
        found = opening.problems(name=values["name"], settings=self.settings(), seed=seed)
        for problem in found:
            self.add_error(self._field_of(problem.name), problem.sentence)
        return found

    def open(self, user: User) -> Round:
        """The round, as the form says it. Raises BadInput where somebody has changed what it rests on meanwhile."""
        values = self.cleaned_data
        seed = values["seed"] if values["seed"] is not None else 1
        return opening.open_round(name=values["name"].strip(), settings=self.settings(), seed=seed, user=user)

    def would_take(self) -> estimate.Estimate:
        """For a form without problems."""
        seed = self.cleaned_data["seed"]
        return estimate.of(plan.parse(self.settings()), seed if seed is not None else 1)

    def _label(self, name: str) -> str:
        return str(self.fields[name].label or name.capitalize()) if name in self.fields else "The form"

    def _field_of(self, name: str) -> str | None:
        field = SHOWN_AT.get(name, name.replace(".", "__"))
        return field if field in self.fields else None

    def fields_like(self, *names: str) -> list[Placed]:
        """Those of these names, and those within objects of these names."""
        found = [field for name in names for field in self.fields if field == name or field.startswith(f"{name}__")]
        return [Placed(self[field], form_fields.NEEDED_BY.get(field, ())) for field in found]

    @property
    def essentials(self) -> list[Section]:
        """What every researcher decides."""
        counts = [f"prompts__{name}" for name in form_fields.COUNTS]
        return [
            Section("Starts from", "", self.fields_like("base", "texts", "valid_texts")),
            Section("In place of parts that are left out", STAND_INS, self.fields_like("instead"), ("stands-in",)),
            Section("Prompts", "", self.fields_like("prompts__source", *counts)),
        ]

    @property
    def further(self) -> list[Section]:
        """What has a default that is seldom changed; folded."""
        ranks = ("reward_model",)
        return [
            Section("Use cases", "Prompts of these alone.", self.fields_like("prompts__use_cases")),
            Section(
                "What labelers do",
                "How many completions a ranking has, how it is dealt out, and under which guidelines.",
                self.fields_like("k", "rankings_per_prompt", "mixes", "mix", "overlap", "adjudicated", "guidelines"),
            ),
            Section(
                "Where ranked completions come from",
                "By default all from this round's SFT policy. The numbers add up to K times the rankings per prompt.",
                self.fields_like("from"),
                ranks,
                "field-pairs",
            ),
            Section(
                "Which prompts are ranked",
                "By default a random draw. Chosen ones teach a reward model more, where it is still unsure.",
                self.fields_like("choose"),
                ranks,
            ),
            Section(
                "Judgement",
                "Who is judged against whom, blind, by held-out labelers.",
                self.fields_like("policies", "judges"),
                ("judge", "evaluate"),
            ),
            Section("Stages that wait for a person", "", self.fields_like("hold")),
            Section(
                "Targets and budget",
                "Targets are compared with what the round asks for. A budget that is used up pauses the round.",
                self.fields_like("targets", "budget"),
            ),
        ]

    @property
    def recipes(self) -> list[spec_form.Section]:
        """The hyperparameters, recipe by recipe; folded too."""
        return [spec_form.section(self, stage) for stage in spec_form.RECIPES]


def available(source: str | None, use_cases: list[str] | None) -> dict[str, int]:
    """Prompts by split that a round could take now."""
    prompts = Prompt.objects.filter(held_because="")
    prompts = prompts.filter(source=source) if source else prompts
    prompts = prompts.filter(use_case__in=use_cases) if use_cases else prompts
    return {row["split"]: row["count"] for row in prompts.order_by().values("split").annotate(count=Count("pk"))}
