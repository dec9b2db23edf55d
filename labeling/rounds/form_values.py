"""PURE. Between a round's settings and what stands in the form's fields, both ways."""

from collections.abc import Mapping
from typing import Any

from labeling.rounds.defaults import COURSES, OWN
from labeling.rounds.form_fields import COUNTS, SOURCES
from labeling.rounds.settings import PARTS, STAND_INS, PromptCounts, Settings
from labeling.rounds.spec_form import RECIPES, initial_of, spec_of

OBJECTS = {"targets": ("labels", "interval"), "budget": ("labels", "hours")}
PLAIN = ("k", "rankings_per_prompt", "overlap", "judges", "base", "texts", "valid_texts")


def initial(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as these settings have them."""
    run = tuple(settings.get("run", PARTS))
    course = next((key for key, one in COURSES.items() if set(one.run) == set(run)), OWN)
    defaults = Settings(prompts=PromptCounts(), specs={})
    found: dict[str, Any] = {"course": course, "run": list(run)}
    found |= {name: settings.get(name, getattr(defaults, name)) for name in PLAIN}
    prompts = settings.get("prompts") or {}
    found |= {f"prompts__{name}": prompts.get(name, getattr(PromptCounts(), name)) for name in COUNTS}
    found |= {"prompts__source": prompts.get("source", ""), "prompts__use_cases": prompts.get("use_cases", [])}
    mix = settings.get("mix", {})
    found |= {"mixes": mix is not None, **{f"mix__{name}": value for name, value in (mix or {}).items()}}
    found |= {name: settings.get(name) for name in ("adjudicated", "hold", "policies")}
    for name in ("instead", "guidelines", "choose", *OBJECTS):
        found |= {f"{name}__{key}": value for key, value in (settings.get(name) or {}).items()}
    for number, row in enumerate(settings.get("sample_from") or []):
        found |= {f"from__{number}__{key}": row[key] for key in ("checkpoint", "samples")}
    for stage, spec in (settings.get("specs") or {}).items():
        found |= initial_of(stage, spec)
    return found


def settings_of(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the fields say. What is empty is left out, and so is what the chosen parts do not use."""
    course = cleaned.get("course")
    run = list(COURSES[course].run) if course in COURSES else [part for part in PARTS if part in cleaned.get("run", ())]
    found: dict[str, Any] = {"run": run}
    found |= {name: cleaned[name] for name in PLAIN[:4] if cleaned.get(name) is not None}
    found |= {name: number(cleaned[name]) for name in PLAIN[4:] if cleaned.get(name)}
    prompts = {name: cleaned.get(f"prompts__{name}") for name in COUNTS}
    found["prompts"] = {name: count for name, count in prompts.items() if count is not None}
    found["prompts"] |= {
        name: cleaned[f"prompts__{name}"] for name in ("source", "use_cases") if cleaned.get(f"prompts__{name}")
    }
    found["mix"] = within(cleaned, "mix") if cleaned.get("mixes") else None
    found["adjudicated"] = bool(cleaned.get("adjudicated"))
    found["guidelines"] = {name: number(pk) for name, pk in within(cleaned, "guidelines").items()}
    stands_in = {name: pk for name, pk in within(cleaned, "instead").items() if name in STAND_INS and name not in run}
    found["instead"] = {name: number(pk) for name, pk in stands_in.items()}
    found |= {name: within(cleaned, name) for name in OBJECTS}
    found |= {"hold": list(cleaned.get("hold") or []), "token": cleaned.get("token") or ""}
    if policies := cleaned.get("policies"):
        found["policies"] = [number(policy) for policy in policies]
    if rows := _sources(cleaned):
        found["sample_from"] = rows
    choose = within(cleaned, "choose")
    if choose.get("by", "random") != "random":
        found["choose"] = {name: number(value) for name, value in choose.items()}
    found["specs"] = {stage: spec_of(stage, cleaned) for stage in _stages(found)}
    return found


def _stages(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Whose specs the round needs."""
    policies = found.get("policies")
    shape = Settings(
        prompts=PromptCounts(), specs={}, run=found["run"], base=found.get("base"), policies=policies,
        choose=found.get("choose", {}),
    )  # fmt: skip
    needed = (*shape.recipes, *(("score",) if shape.is_chosen else ()))
    return tuple(stage for stage in RECIPES if stage in needed)


def _sources(cleaned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows in which a number stands; the first without a checkpoint is the SFT policy."""
    rows = []
    for place in range(SOURCES):
        checkpoint, samples = cleaned.get(f"from__{place}__checkpoint"), cleaned.get(f"from__{place}__samples")
        if samples is not None or checkpoint:
            rows.append({"checkpoint": number(checkpoint) if checkpoint else None, "samples": samples})
    return rows


def within(cleaned: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What stands in the fields of one object."""
    start = f"{name}__"
    found = {key.removeprefix(start): value for key, value in cleaned.items() if key.startswith(start)}
    return {key: value for key, value in found.items() if value is not None and value != ""}


def number(value: Any) -> Any:
    """An id as a number; a name as it is."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
