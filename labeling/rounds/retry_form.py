"""The settings of a stage's run as a form, for whoever tries it again with others."""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from django import forms

from labeling.errors import BadInput
from labeling.rounds.models import Stage
from training.contract.specs import SPECS, SpecError, spec_from_dict

# These follow from the round's own settings, or from what the run was given to read.
FOLLOWS = {"samples_per_prompt", "samples_by_policy"}
KINDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "a text"}


class SpecForm(forms.Form):
    """One field per setting; what is left as it was is no change. `spec()` is all settings that the run shall have."""

    def __init__(self, data: Mapping[str, Any] | None, *, stage: Stage) -> None:
        super().__init__(data)
        assert stage.run is not None  # the view has looked
        self.stage, self.run = stage, stage.run
        self.hints = typing.get_type_hints(SPECS[self.run.recipe])
        self.before = whole(self.run.recipe, self.run.spec)
        for name, value in self.before.items():
            if not (self.run.recipe == "sample" and name in FOLLOWS):
                self.fields[name] = self._field(name, value)

    def _field(self, name: str, value: Any) -> forms.Field:
        if isinstance(value, bool):
            return forms.BooleanField(label=name, required=False, initial=value)
        return forms.CharField(label=name, required=False, initial=_shown(value), help_text=_kind(self.hints[name]))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        after = {name: self._read(name, cleaned[name]) for name in self.fields if name in cleaned}
        if self.errors:
            return cleaned
        changed = {name: value for name, value in after.items() if value != self.before[name]}
        self.wanted = {**self.run.spec, **changed}
        try:
            spec_from_dict(self.run.recipe, self.wanted)
            check_fits(self.stage, self.wanted)
        except SpecError as error:
            self.add_error(_named(str(error), self.fields), str(error))
        except BadInput as error:
            self.add_error(None, error.sentence)
        return cleaned

    def spec(self) -> dict[str, Any]:
        return self.wanted

    def _read(self, name: str, given: Any) -> Any:
        if isinstance(given, bool):
            return given
        if given == _shown(self.before[name]):
            return self.before[name]
        kinds = _kinds(self.hints[name])
        if not given and type(None) in kinds:
            return None
        try:
            return _value(given, kinds)
        except ValueError:
            self.add_error(name, f"{name} is {_kind(self.hints[name])}; “{given[:60]}” is not.")
            return None


def whole(recipe: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec with those left out at their defaults."""
    defaults: dict[str, Any] = {}
    for field in fields(SPECS[recipe]):
        if field.default is not MISSING:
            defaults[field.name] = field.default
        elif field.default_factory is not MISSING:
            defaults[field.name] = field.default_factory()
        else:
            defaults[field.name] = None
    return {**defaults, **spec}


def check_fits(stage: Stage, spec: Mapping[str, Any]) -> None:
    """A retry changes settings, not what its run reads. Raises BadInput where that would not fit together."""
    if stage.name == "ppo" and spec.get("ptx_coef"):
        raise BadInput("This stage is plain PPO, so its ptx_coef stays 0; PPO-ptx is a stage of its own.")
    if stage.name == "ppo_ptx" and not spec.get("ptx_coef"):
        raise BadInput("This stage is PPO-ptx, so its ptx_coef is above 0; plain PPO is a stage of its own.")
    run = stage.run
    if run and spec.get("pretraining_mix") and not run.inputs.filter(name="texts").exists():
        raise BadInput("This run was given no pretraining texts, so its pretraining_mix stays 0.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _kind(hint: Any) -> str:
    words = [KINDS.get(kind, "JSON") for kind in _kinds(hint) if kind is not type(None)]
    return " or ".join(words) + (", or empty" if type(None) in _kinds(hint) else "")


def _value(given: str, kinds: tuple[Any, ...]) -> Any:
    """Raises ValueError where the text is none of these kinds."""
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(given)
            except ValueError:
                continue
    if str in kinds:
        return given
    if set(kinds) <= {int, float, type(None)}:
        raise ValueError(given)
    return json.loads(given)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _named(sentence: str, names: typing.Iterable[str]) -> str | None:
    """The field that a sentence is about: the first whose name stands in it."""
    return next((name for name in names if name in sentence.replace("'", " ").split()), None)
