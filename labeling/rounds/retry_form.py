"""The settings of a stage's run as a form, explained as where a round is opened: to try it again with others."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from django import forms

from labeling.errors import BadInput
from labeling.rounds import spec_form
from labeling.rounds.models import Stage
from training.contract.specs import SPECS, SpecError, spec_from_dict


class RetryForm(forms.Form):
    """One field per setting; what is left as it was is no change. `spec()` is all settings that the run shall have."""

    def __init__(self, data: Mapping[str, Any] | None, *, stage: Stage) -> None:
        assert stage.run is not None  # the view has looked
        self.stage, self.run = stage, stage.run
        self.kind = "ppo_ptx" if stage.name == "ppo_ptx" else self.run.recipe
        super().__init__(data, initial=spec_form.initial_of(self.kind, self.run.spec))
        self.fields |= spec_form.fields_of(self.kind)

    @property
    def section(self) -> spec_form.Section:
        return spec_form.section(self, self.kind)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        asked = {one.name for one in spec_form.settings(self.kind)}
        self.wanted = {name: value for name, value in self.run.spec.items() if name not in asked}
        self.wanted |= spec_form.spec_of(self.kind, cleaned)
        try:
            spec_from_dict(self.run.recipe, self.wanted)
            check_fits(self.stage, self.wanted)
        except SpecError as error:
            self.add_error(self._field_of(str(error)), str(error))
        except BadInput as error:
            self.add_error(None, error.sentence)
        return cleaned

    def spec(self) -> dict[str, Any]:
        return self.wanted

    def _field_of(self, sentence: str) -> str | None:
        """The field that a sentence is about: the first whose name stands in it."""
        words = sentence.replace("'", " ").split()
        keys = (spec_form.key(self.kind, one.name) for one in spec_form.settings(self.kind) if one.name in words)
        return next(keys, None)


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
