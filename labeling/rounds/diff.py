"""PURE. Two rounds' settings side by side, each with all defaults filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from labeling.queue import settings as batches
from labeling.rounds.settings import PromptCounts, Settings
from training.contract.specs import SPECS

OWN = ("token",)  # of one opening, and no setting
GROUPS = {
    "What is run": ("seed", "run", "base", "instead", "hold"),
    "Texts and guidelines": ("texts", "valid_texts", "guidelines"),
    "Prompts": ("prompts",),
    "What labelers do": ("k", "rankings_per_prompt", "sample_from", "choose", "mix", "overlap", "adjudicated"),
    "Judgement": ("policies", "judges"),
    "Targets and budget": ("targets", "budget"),
}


class Row(NamedTuple):
    name: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        return bool(self.first != self.second)


class Group(NamedTuple):
    name: str
    rows: list[Row]


def compare(first: Mapping[str, Any], second: Mapping[str, Any], *, everything: bool = False) -> list[Group]:
    """The settings that differ, or all of them, group by group; a group without rows is left out."""
    mine, theirs = _flat(first), _flat(second)
    found: dict[str, list[Row]] = {}
    for group, name in dict.fromkeys([*mine, *theirs]):
        row = Row(name, mine.get((group, name)), theirs.get((group, name)))
        if everything or row.differs:
            found.setdefault(group, []).append(row)
    order = [*GROUPS, *sorted(set(found) - set(GROUPS))]
    return [Group(name, found[name]) for name in order if name in found]


def _flat(settings: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    whole = {**_defaults(Settings), **settings}
    whole["prompts"] = {**_defaults(PromptCounts), **(whole.get("prompts") or {})}
    if whole["mix"] is not None:
        whole["mix"] = {**_defaults(batches.Settings), **whole["mix"]}
    found: dict[tuple[str, str], Any] = {}
    for group, names in GROUPS.items():
        for name in names:
            found.update({(group, key): value for key, value in _within(name, whole.get(name))})
    for stage, spec in whole["specs"].items():
        filled = {**_defaults(SPECS["ppo" if stage == "ppo_ptx" else stage]), **spec}
        found.update({(f"Settings of {stage}", key): value for key, value in filled.items()})
    return found


def _within(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An object's settings one by one; what holds nothing is one setting that is not there."""
    if isinstance(value, Mapping) and value:
        for key, inner in sorted(value.items()):
            yield f"{name}: {key}", _plain(inner)
    else:
        yield name, _plain(value)


def _plain(value: Any) -> Any:
    """Nothing is nothing, whether it is an empty list, object or text."""
    if isinstance(value, tuple):
        value = list(value)
    return value if value or value == 0 else None


def _defaults(cls: type) -> dict[str, Any]:
    found = {}
    for one in fields(cls):
        if one.name not in OWN and (one.default is not MISSING or one.default_factory is not MISSING):
            found[one.name] = one.default_factory() if one.default_factory is not MISSING else one.default
    return found
