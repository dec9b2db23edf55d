"""The fields of the form that opens a round, but for the hyperparameters (spec_form.py)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django import forms

from labeling.models import Guideline, Prompt, Purpose, UseCase
from labeling.quality.forms import SettingsForm
from labeling.queue import settings as batches
from labeling.rounds.defaults import COURSES, OWN
from labeling.rounds.settings import PARTS, POLICIES
from labeling.rounds.spec_form import Value
from training.models import Checkpoint, Dataset

SOURCES = 4  # policies that the completions of one ranking can come from
HOLDABLE = (
    "pretrain", "demonstrate", "sft", "sample", "score", "rank", "rank_valid", "reward_model", "gate", "ppo_ptx", "ppo",
    "requeue", "judge",
)  # fmt: skip
NAMES = {
    "base": "Base", "sft": "SFT", "ppo": "PPO", "ppo_ptx": "PPO-ptx", "reward_model": "Reward model",
    "requeue": "New samples for the next round", "judge": "Judgement", "evaluate": "Measuring", "score": "Score",
    "pretrain": "Pretrain", "demonstrate": "Demonstrate", "sample": "Sample", "rank": "Rank", "gate": "Gate before PPO",
    "rank_valid": "Rank for validation",
}  # fmt: skip
COUNTS = {
    "demonstrate": ("To demonstrate", "Labelers write an answer to each."),
    "rank": ("To rank", "Those that nobody demonstrates come first."),
    "rank_valid": ("To rank for validation", "By held-out labelers; the reward model is measured on them."),
    "ppo": ("For PPO", "0 takes all."),
    "requeue": ("New samples", "Answered by the new policy and put up for the next round."),
    "judge": ("To judge", "Held-out labelers compare the policies on them."),
}
# What only some parts of the loop have a use for.
NEEDED_BY = {
    "base": ("sft", "judge", "evaluate"),
    "texts": ("sft", "ppo_ptx"),
    "valid_texts": ("sft", "evaluate"),
    "prompts__demonstrate": ("sft",),
    "prompts__rank": ("reward_model",),
    "prompts__rank_valid": ("reward_model", "evaluate"),
    "prompts__ppo": ("ppo", "ppo_ptx"),
    "prompts__requeue": ("requeue",),
    "prompts__judge": ("judge",),
}
Choices = list[tuple[str, str]]


class Rows(NamedTuple):
    """What can be chosen, read once a form."""

    policies: Choices
    reward_models: Choices
    texts: Choices
    sources: Choices
    guidelines: dict[str, Choices]

    @classmethod
    def read(cls) -> "Rows":
        kinds: dict[str, Choices] = {kind: [] for kind in Checkpoint.Kind.values}
        for pk, name, kind in Checkpoint.objects.filter(weights_deleted_at=None).values_list("pk", "name", "kind"):
            kinds[kind].append((str(pk), f"{name} (checkpoint {pk})"))
        texts = Dataset.objects.filter(kind="texts")
        prompts = Prompt.objects.order_by("source").values_list("source", flat=True).distinct()
        guidelines: dict[str, Choices] = {purpose: [] for purpose in Purpose.values}
        for guideline in Guideline.objects.all():
            guidelines[guideline.purpose].append((str(guideline.pk), str(guideline)))
        return cls(
            policies=kinds[Checkpoint.Kind.POLICY],
            reward_models=kinds[Checkpoint.Kind.REWARD_MODEL],
            texts=[
                (str(one.pk), f"{one.rows:,} texts, {one.sha256[:12]}, {one.created_at:%-d %b %Y}") for one in texts
            ],
            sources=[(name, name) for name in prompts],
            guidelines=guidelines,
        )


def all_of(rows: Rows) -> dict[str, forms.Field]:
    """Every field by its name; two underscores lead into an object, as `prompts__rank`."""
    return {**_what(), **_start(rows), **_prompts(rows), **_labels(rows), **_judgement(rows), **_wishes()}


def _what() -> dict[str, forms.Field]:
    courses = [*((key, course.label) for key, course in COURSES.items()), (OWN, "Choose the parts one by one")]
    return {
        "name": forms.CharField(required=False),
        "seed": Value(int, help_text="Which prompts are taken, and all that is drawn at random, follow from it."),
        "course": forms.ChoiceField(label="What to run", choices=courses, widget=forms.RadioSelect),
        "run": _several("Parts", ((part, NAMES[part]) for part in PARTS)),
        "hold": _several(
            "Stages that wait for a person",
            ((stage, NAMES[stage]) for stage in HOLDABLE),
            help_text="Each starts only after somebody has said so on the round's page.",
        ),
        "token": forms.CharField(required=False, widget=forms.HiddenInput),
    }


def _start(rows: Rows) -> dict[str, forms.Field]:
    return {
        "base": _one("Base model", "Pretrain a small one in this round", rows.policies),
        "instead__sft": _one("SFT policy", "none", rows.policies, "A reward model and PPO start from it."),
        "instead__reward_model": _one("Reward model", "none", rows.reward_models, "PPO follows it."),
        "instead__ppo": _one("PPO policy", "none", rows.policies, "To be judged, or sampled from."),
        "instead__ppo_ptx": _one("PPO-ptx policy", "none", rows.policies, "To be judged, or sampled from."),
        "texts": _one("Pretraining texts", "none", rows.texts, "For pretraining, its mix in SFT, and PPO-ptx."),
        "valid_texts": _one(
            "Held-out texts", "none", rows.texts, "On which the language-model loss is measured, before and after."
        ),
    }


def _prompts(rows: Rows) -> dict[str, forms.Field]:
    return {
        "prompts__source": _one("Source", "any", rows.sources),
        "prompts__use_cases": _several("Use cases", UseCase.choices, help_text="None ticked is any."),
        **{f"prompts__{name}": Value(int, label=label, help_text=words) for name, (label, words) in COUNTS.items()},
    }


def _labels(rows: Rows) -> dict[str, forms.Field]:
    mix = {
        f"mix__{name}": Value(
            int, float, label=field.label or name.replace("_", " ").capitalize(), help_text=field.help_text
        )
        for name, field in SettingsForm.base_fields.items()
    }
    for name, field in mix.items():
        field.widget.attrs["placeholder"] = str(getattr(batches.Settings(), name.removeprefix("mix__")))
    sampled = {
        name: field
        for number in range(SOURCES)
        for name, field in (
            (f"from__{number}__checkpoint", _one("Policy", "the SFT policy" if not number else "none", rows.policies)),
            (f"from__{number}__samples", Value(int, label="Completions")),
        )
    }
    by = [
        ("random", "At random"),
        ("ensemble", "Those on which the heads of a reward model disagree"),
        ("labelers", "Those on which labelers are expected to disagree"),
    ]
    return {
        "k": Value(int, label="Completions per ranking (K)", help_text="4 to 9. Section 3.5 of the paper."),
        "rankings_per_prompt": Value(int, help_text="Each with its own K completions."),
        "mixes": forms.BooleanField(
            label="Mix calibration, gold and drift items into the rankings for training", required=False
        ),
        **mix,
        "overlap": Value(float, help_text="Without the mix: the share of the items that two labelers get."),
        "adjudicated": forms.BooleanField(
            label="Train on decisions in place of the rankings of items that were adjudicated", required=False
        ),
        **sampled,
        "choose__by": forms.ChoiceField(label="Prompts to rank are chosen", choices=by, required=False),
        "choose__pool": Value(int, label="Out of", help_text="So many train prompts are sampled and scored."),
        "choose__reward_model": _one("By", "none", rows.reward_models),
        **{
            f"guidelines__{purpose.value}": _one(f"Guideline for {purpose.value}", "none", rows.guidelines[purpose])
            for purpose in Purpose
        },
    }


def _judgement(rows: Rows) -> dict[str, forms.Field]:
    own: Choices = [(name, f"This round's {NAMES[name]}") for name in POLICIES]
    return {
        "policies": _several(
            "Policies", [*own, *rows.policies], help_text="2 to 9. None ticked: all of the four that the round has."
        ),
        "judges": Value(int, label="Judges per prompt", help_text="Held-out labelers, each for themselves."),
    }


def _wishes() -> dict[str, forms.Field]:
    return {
        "targets__labels": Value(int, label="Labels wished"),
        "targets__interval": Value(float, label="Width wished of a win rate's 95 % interval", help_text="Such as 0.1."),
        "budget__labels": Value(int, label="Labels at most"),
        "budget__hours": Value(int, float, label="Hours at most"),
    }


def _one(label: str, none: str, choices: Choices, help_text: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", none), *choices], required=False, help_text=help_text)


def _several(label: str, choices: Iterable[tuple[Any, Any]], help_text: str = "") -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(
        label=label, choices=list(choices), required=False, widget=widget, help_text=help_text
    )
