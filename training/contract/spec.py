"""What every recipe's settings share: the base class, the refusal, and the check of names and kinds of value."""

import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar


class SpecError(ValueError):
    """A setting that cannot work, in one sentence that says both numbers."""


def require(condition: bool, sentence: str) -> None:
    """Raises SpecError with the sentence unless the condition holds."""
    if not condition:
        raise SpecError(sentence)


@dataclass(frozen=True)
class Spec:
    """What every recipe has."""

    recipe: ClassVar[str]

    threads: int = 0  # CPU threads of torch; 0 leaves OMP_NUM_THREADS or torch to decide
    precision: str = "fp32"  # fp32 | bf16 (products in bfloat16, weights and optimizer in float32)
    save_every: int = 50  # steps (PPO: iterations) between exact states in state/; 0 saves only when stopped

    def validate(self) -> None:
        """Refuse values that cannot work, before any weights are loaded; each spec adds its own. Raises SpecError."""
        require(self.threads >= 0, f"threads is {self.threads}; it must be 0 (automatic) or more.")
        require(self.precision in ("fp32", "bf16"), f"precision is '{self.precision}'; it must be 'fp32' or 'bf16'.")
        require(self.save_every >= 0, f"save_every is {self.save_every}; it must be 0 (off) or more.")

    def positive(self, *names: str) -> None:
        """Require these settings to be more than 0."""
        for name in names:
            value = getattr(self, name)
            require(value > 0, f"{name} is {value}; it must be more than 0.")

    def fraction(self, *names: str) -> None:
        """Require these settings to lie in [0, 1]."""
        for name in names:
            value = getattr(self, name)
            require(0 <= value <= 1, f"{name} is {value}; it must lie between 0 and 1.")


def check_values(cls: type[Spec], values: Mapping[str, Any]) -> None:
    """Refuse unknown names and wrong kinds of value, before the dataclass would."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    for name, value in values.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise SpecError(f"The {cls.recipe} spec has no setting '{name}'{hint}")
        if not _fits(value, hints[name]):
            raise SpecError(f"The {cls.recipe} setting '{name}' is {value!r}; it must be {_say(hints[name])}.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _fits(value: object, hint: Any) -> bool:
    for kind in _kinds(hint):
        if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return True
        if isinstance(value, typing.get_origin(kind) or kind) and not (kind is int and isinstance(value, bool)):
            return True
    return False


def _say(hint: Any) -> str:
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        type(None): "null",
        dict: "an object",
        list: "a list",
    }
    return " or ".join(words[typing.get_origin(kind) or kind] for kind in _kinds(hint))
