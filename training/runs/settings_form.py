"""A recipe's settings as fields of a form: each is written as JSON, or as plain text where it is a text."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple

from training.contract.specs import SPECS, SpecError

PREFIX = "spec-"  # a setting may be called as another field of the form


class Setting(NamedTuple):
    name: str
    text: str
    default: str
    is_set: bool  # the run says it itself


def fields_of(recipe: str, spec: Mapping[str, Any], posted: Mapping[str, str]) -> list[Setting]:
    """All settings of the recipe: what was posted, else what the run says, else the default. Those it says first."""
    found = [
        Setting(
            field.name,
            posted.get(PREFIX + field.name, _text(spec.get(field.name, _default(field)))),
            _text(_default(field)),
            field.name in spec,
        )
        for field in fields(SPECS[recipe])
    ]
    return sorted(found, key=lambda setting: (not setting.is_set, setting.name))


def read(recipe: str, posted: Mapping[str, str], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were posted: those that the run says already, and those that are not the default.

    Raises SpecError for a value that is none.
    """
    values = {}
    for field in fields(SPECS[recipe]):
        text = posted.get(PREFIX + field.name)
        if text is None:  # the page had no such field
            value = spec.get(field.name, _default(field))
        else:
            value = _value(field.name, text.strip(), spec.get(field.name, _default(field)))
        if field.name in spec or value != _default(field):
            values[field.name] = value
    return values


def _value(name: str, text: str, now: Any) -> Any:
    if isinstance(now, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        pass
    if now is None:  # a text may be meant
        return text
    raise SpecError(f"The setting '{name}' is {text!r}; write it as {_text(now)} is written.")


def _default(field: "Field[Any]") -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
