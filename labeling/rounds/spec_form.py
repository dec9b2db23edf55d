"""The hyperparameters of a round's recipes as form fields, made from their dataclasses (training/contract/specs)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms

from labeling.rounds.settings import PARTS
from training.contract.spec_help import Setting, settings_of

RECIPES = ("pretrain", "sft", "sample", "score", "reward_model", "ppo_ptx", "ppo", "evaluate")
# The parts of the loop that need each; the form hides those that the chosen course has no use for.
NEEDED_BY = {
    "pretrain": ("sft",),
    "sft": ("sft",),
    "sample": ("reward_model", "requeue", "judge"),
    "score": ("reward_model",),
    "reward_model": ("reward_model",),
    "ppo_ptx": ("ppo_ptx",),
    "ppo": ("ppo",),
    "evaluate": ("evaluate",),
}
FOLLOWS = ("samples_per_prompt", "samples_by_policy")  # of `sample`: from K and from where its samples come
OFF = "off"  # what null is called
YES_NO = [("true", "yes"), ("false", "no")]

assert {part for parts in NEEDED_BY.values() for part in parts} == set(PARTS)


def recipe_of(stage: str) -> str:
    return "ppo" if stage == "ppo_ptx" else stage


def settings(stage: str) -> list[Setting]:
    """Those that a person sets."""
    return [one for one in settings_of(recipe_of(stage)) if stage != "sample" or one.name not in FOLLOWS]


def key(stage: str, name: str) -> str:
    return f"specs__{stage}__{name}"


class Value(forms.CharField):
    """A number, a text or nothing: read as well as it can be, and checked where all settings are."""

    def __init__(self, *kinds: type, **options: Any) -> None:
        self.kinds = kinds
        attributes = {"inputmode": "decimal"} if set(kinds) & {int, float} else {}
        super().__init__(required=False, widget=forms.TextInput(attrs=attributes), **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text == OFF:
            return OFF
        if not text:
            return None
        return read(text, self.kinds)


def read(text: str, kinds: tuple[type, ...]) -> Any:
    """The text as one of these kinds, or as it is: then the check of the settings says what is wrong with it."""
    plain = text.replace(",", "").replace("\u202f", "").replace(" ", "")
    for kind in kinds:
        if kind in (int, float):
            try:
                return kind(plain)
            except ValueError:
                continue
        if kind is bool and text in ("true", "false"):
            return text == "true"
        if kind is list:
            return [word.strip() for word in text.split(",") if word.strip()]
    return text


def fields_of(stage: str) -> dict[str, forms.Field]:
    """A field for each setting of a stage's recipe, by its key; empty is the default."""
    return {key(stage, one.name): _field(one) for one in settings(stage)}


def _field(one: Setting) -> forms.Field:
    options: dict[str, Any] = {"label": one.name, "help_text": ""}
    if one.choices:
        choices = [("", f"{one.default} (default)"), *((word, word) for word in one.choices if word != one.default)]
        return forms.ChoiceField(choices=choices, required=False, **options)
    if bool in one.kinds:
        other = [(value, word) for value, word in YES_NO if value != shown(one.default)]
        return forms.ChoiceField(
            choices=[("", f"{'yes' if one.default else 'no'} (default)"), *other], required=False, **options
        )
    kinds = tuple(getattr(kind, "__origin__", kind) for kind in one.kinds)
    field = Value(*kinds, **options)
    field.widget.attrs["placeholder"] = shown(one.default)
    return field


def shown(value: Any) -> str:
    """A value as it stands in a field."""
    if value is None:
        return OFF
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def initial_of(stage: str, spec: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields: only what differs from the default."""
    changed = {one.name: spec[one.name] for one in settings(stage) if spec.get(one.name, one.default) != one.default}
    return {key(stage, name): shown(value) for name, value in changed.items()}


def spec_of(stage: str, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The spec with what was filled in; what is the default all the same is left out."""
    spec = {}
    for one in settings(stage):
        value = cleaned.get(key(stage, one.name))
        if value is None or value == "":
            continue
        if value == OFF and one.may_be_null:
            value = None
        elif bool in one.kinds and value in ("true", "false"):
            value = value == "true"
        if value != one.default:
            spec[one.name] = value
    return spec


class Shown(NamedTuple):
    """A setting's field in the page."""

    field: forms.BoundField
    setting: Setting
    is_changed: bool
    default: str


class Group(NamedTuple):
    title: str
    shown: list[Shown]


class Section(NamedTuple):
    """The settings of one stage's recipe, in groups; `parts` of the loop need it."""

    stage: str
    parts: tuple[str, ...]
    groups: list[Group]

    @property
    def changed(self) -> int:
        return sum(one.is_changed for group in self.groups for one in group.shown)

    @property
    def has_errors(self) -> bool:
        return any(one.field.errors for group in self.groups for one in group.shown)


def section(form: forms.Form, stage: str) -> Section:
    """The main settings first, what is of the machine last."""
    groups: dict[str, list[Shown]] = {"": []}
    for one in settings(stage):
        field = form[key(stage, one.name)]
        is_changed = str(field.value() or "") not in ("", shown(one.default))
        groups.setdefault(one.group, []).append(Shown(field, one, is_changed, shown(one.default)))
    order = sorted(groups, key=lambda name: name == "Machine")
    return Section(stage, NEEDED_BY[stage], [Group(name, groups[name]) for name in order if groups[name]])
