"""The results as plain values: the page, the CSV file and the API read the same."""

import csv
import math
from collections.abc import Iterator
from io import StringIO
from typing import Any

from labeling.errors import BadInput, Conflict
from labeling.evaluation.crossed import Estimate
from labeling.evaluation.head_to_head import HeadToHead, Pair, Part, compute
from labeling.judging.source import Source
from labeling.prompts.models import UseCase

SMALL = 20  # prompts: a part of fewer is greyed
NOTHING = "nothing of it was judged"
HEAD = ["figure", "policy", "other", "by", "of", "value", "low", "high", "prompts", "labelers", "labels", "note"]

Figure = dict[str, Any]


def results(source: Source, against: str = "") -> dict[str, Any]:
    """Raises Conflict where no result may be seen yet, BadInput for a policy that is not in it."""
    if source.hidden or source.batch is None:
        raise Conflict(source.hidden or "Nothing is judged yet.")
    names = list(source.policies.values())
    if against and against not in names:
        raise BadInput(f"There is no policy “{against}” here; there are {', '.join(names)}.")
    seen = source.observed()
    return _said(source, compute(seen, against or names[0]), seen.flag_labels)


def _said(source: Source, found: HeadToHead, labels: dict[str, str]) -> dict[str, Any]:
    ticked = [key for key in labels if any(_value(policy.flags.get(key)) for policy in found.policies)]
    return {
        "name": source.name,
        "against": found.against,
        "done": source.done,
        "wanted": source.wanted,
        "is_final": source.done >= source.wanted,
        "extended": source.extended,
        "rankings": found.rankings,
        "prompts": found.prompts,
        "alike": found.alike,
        "labelers": found.people,
        "comparisons": found.comparisons,
        "by_chance": round(0.05 * found.comparisons, 1),
        "policies": [
            {
                "policy": policy.name,
                "win": figure(policy.win),
                "strength": figure(policy.strength),
                "rating": figure(policy.rating),
                "flags": {key: figure(policy.flags[key]) for key in ticked},
            }
            for policy in found.policies
        ],
        "pairs": [line for pair in found.pairs for line in (_pair(pair, ticked), _pair(_turned(pair), ticked))],
        "use_cases": [_part(part, UseCase(part.value).label) for part in found.use_cases],
        "by_labeler": [_part(part, part.value) for part in found.labelers],
        "flags": {key: labels[key] for key in ticked},
        "never_ticked": [label for key, label in labels.items() if key not in ticked],
    }


def figure(found: Estimate | None) -> Figure:
    """A figure with what it rests on; `value` is None where there is none, and `why` says why."""
    if found is None:
        return {"value": None, "low": None, "high": None, "prompts": 0, "labelers": 0, "labels": 0, "why": NOTHING}
    return {
        "value": None if math.isnan(found.value) else found.value,
        "low": found.low,
        "high": found.high,
        "prompts": found.prompts,
        "labelers": found.labelers,
        "labels": found.labels,
        "why": found.why,
    }


def _value(found: Estimate | None) -> float:
    return found.value if found else 0.0


def _pair(pair: Pair, flags: list[str]) -> dict[str, Any]:
    return {
        "policy": pair.policy,
        "other": pair.other,
        "win": figure(pair.win),
        "p": pair.p,
        "p_holm": pair.p_holm,
        "rating": figure(pair.rating),
        "flags": {key: figure(pair.flags[key]) for key in flags},
    }


def _turned(pair: Pair) -> Pair:
    """The same two the other way round."""
    flags = {key: _negative(found) for key, found in pair.flags.items()}
    return Pair(pair.other, pair.policy, _other_way(pair.win), pair.p, pair.p_holm, _negative(pair.rating), flags)


def _other_way(found: Estimate | None) -> Estimate | None:
    return found and _replaced(found, 1.0)


def _negative(found: Estimate | None) -> Estimate | None:
    return found and _replaced(found, 0.0)


def _replaced(found: Estimate, whole: float) -> Estimate:
    low, high = (None if end is None else whole - end for end in (found.high, found.low))
    return found._replace(value=whole - found.value, low=low, high=high)


def _part(part: Part, label: str) -> dict[str, Any]:
    wins = {name: figure(found) for name, found in part.wins.items()}
    prompts = max((one["prompts"] for one in wins.values()), default=0)
    return {"value": part.value, "label": label, "wins": wins, "prompts": prompts, "is_small": prompts < SMALL}


def as_csv(found: dict[str, Any]) -> str:
    """One figure a row."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows(_rows(found))
    return text.getvalue()


def _rows(found: dict[str, Any]) -> Iterator[list[Any]]:
    for policy in found["policies"]:
        for name in ("win", "strength", "rating"):
            yield _row(name, policy["policy"], "", "", "", policy[name])
        for key, one in policy["flags"].items():
            yield _row("flag", policy["policy"], "", "flag", key, one)
    for pair in found["pairs"]:
        yield _row("win", pair["policy"], pair["other"], "", "", pair["win"])
        yield _row("rating_difference", pair["policy"], pair["other"], "", "", pair["rating"])
        for key, one in pair["flags"].items():
            yield _row("flag_difference", pair["policy"], pair["other"], "flag", key, one)
    for by in ("use_case", "labeler"):
        for part in found["use_cases" if by == "use_case" else "by_labeler"]:
            for policy, one in part["wins"].items():
                yield _row("win", policy, found["against"], by, part["value"], one)


def _row(name: str, policy: str, other: str, by: str, of: str, one: Figure) -> list[Any]:
    numbers = [one[key] for key in ("value", "low", "high", "prompts", "labelers", "labels", "why")]
    return [name, _safe(policy), _safe(other), by, of, *numbers]


def _safe(name: str) -> str:
    """A name that a person chose must not become a formula in a spreadsheet."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@") else name
