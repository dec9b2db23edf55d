"""The page of a reward model as plain values: page, CSV and API read the same."""

import csv
import json
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from django.db.models import Count, Max

from labeling.agreement.known import known
from labeling.agreement.resampling import Estimate
from labeling.exports import exclude
from labeling.figures.table import safe
from labeling.labelers.models import Cohort
from labeling.prompts.models import UseCase
from labeling.reward_models import scored as reading
from labeling.reward_models.quality import Group, Preference, Quality, compute
from labeling.reward_models.scored import Scores
from labeling.reward_models.style import FEATURES
from training import storage
from training.models import Checkpoint

CODE = sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:12]
FEWEST_ITEMS = "no interval from fewer than 5 prompts"
NONE = "there is no such pair"
ALONE = "no two labelers ranked one item"
GROUPS = {"all": "All", "cohort": "Labelers’ cohort", "use_case": "Use case", "k": "Completions in the ranking (K)"}
HEAD = ["figure", "by", "of", "value", "low", "high", "prompts", "pairs", "note"]


def of(checkpoint: Checkpoint, scores: Scores | None) -> dict[str, Any]:
    """`scores`: what `scored.read` found; without it, there is what the run measured when it was trained."""
    found = _quality(checkpoint, scores) if scores and scores.scored else None
    return {
        "checkpoint": checkpoint.pk,
        "name": checkpoint.name,
        "trained": validation(checkpoint),
        "scored_at": scores.at.isoformat(timespec="seconds") if scores else None,
        "rankings": len(scores.scored) if scores else 0,
        "waiting": scores.waiting if scores else 0,
        "later": scores.later if scores else 0,
        "quality": _said(found) if found else None,
    }


def validation(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """What validation.json of the run that trained it says; None where there is none that can be read."""
    if checkpoint.run_id is None:
        return None
    path = storage.run_folder(checkpoint.run_id) / "validation.json"
    try:
        tables: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        groups = [{**row, "label": _label(row["group"], str(row["value"]))} for row in tables["groups"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {**tables, "groups": groups}


def _quality(checkpoint: Checkpoint, scores: Scores) -> Quality:
    """Kept by the version of its data: a page that polls must not compute it anew."""
    there = reading.held_out_rankings().aggregate(count=Count("pk"), last=Max("pk"), corrected=Max("corrected_at"))
    left_out = sorted(exclude.standing().values_list("labeler", flat=True))
    said = f"{scores.run.pk} {there} {left_out} {len(scores.scored)}"
    return known(f"reward-model-{CODE}", sha256(said.encode()).hexdigest()[:16], lambda: compute(scores.scored))


def _said(found: Quality) -> dict[str, Any]:
    features = {feature.key: (feature.label, feature.explained) for feature in FEATURES}
    features["longer"] = ("Is the longer one", "in characters")
    return {
        "groups": [_group(group) for group in found.groups],
        "bins": [{**one._asdict(), "observed": figure(one.observed)} for one in found.bins],
        "calibration_error": found.calibration_error,
        "preferences": [_preference(one, *features[one.key]) for one in found.preferences],
        "length": [
            _line("length_correlation", "Reward and length, within a ranking", found.length_correlation),
            _line("length_correlation_people", "People’s order and length", found.length_correlation_people),
        ],
        "by_length": [
            _line("accuracy_longer_preferred", "Accuracy where people chose the longer", found.longer_preferred),
            _line("accuracy_shorter_preferred", "Accuracy where people chose the shorter", found.shorter_preferred),
        ],
        "ensemble": {
            "right": figure(found.spread_right),
            "wrong": figure(found.spread_wrong),
            "thirds": [
                {"label": label, **figure(one)}
                for label, one in zip(("least", "middle", "most"), found.by_spread, strict=False)
            ],
        }
        if found.by_spread
        else None,
    }


def figure(one: Estimate | None) -> dict[str, Any]:
    """As `figure_cells` writes it."""
    if one is None:
        return {"value": None, "low": None, "high": None, "items": 0, "why": NONE}
    return {**one._asdict(), "why": FEWEST_ITEMS if one.low is None else ""}


def _group(group: Group) -> dict[str, Any]:
    return {
        **group._asdict(),
        "label": _label(group.by, group.value),
        "by_label": GROUPS[group.by],
        "accuracy": figure(group.accuracy),
        "log_loss": figure(group.log_loss),
        "agreement": figure(group.agreement) if group.agreement else {**figure(None), "why": ALONE},
    }


def _label(by: str, value: str) -> str:
    labels = {"cohort": dict(Cohort.choices), "use_case": dict(UseCase.choices)}.get(by, {})
    return str(labels.get(value, value)) if value else "All rankings"


def _preference(one: Preference, label: str, explained: str) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": label,
        "explained": explained,
        "pairs": one.pairs,
        "model": figure(one.model),
        "people": figure(one.people),
        "apart": figure(one.apart),
    }


def _line(key: str, label: str, one: Estimate | None) -> dict[str, Any]:
    return {"key": key, "label": label, **figure(one)}


def as_csv(report: dict[str, Any]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([safe(cell) for cell in row] for row in _rows(report))
    return text.getvalue()


def _rows(report: dict[str, Any]) -> Iterator[list[Any]]:
    trained, quality = report["trained"], report["quality"]
    for row in trained["groups"] if trained else []:
        values = [row["accuracy"], row["accuracy_low"], row["accuracy_high"], row["prompts"], row["comparisons"], ""]
        yield ["accuracy_when_trained", row["group"], row["value"], *values]
        yield ["log_loss_when_trained", row["group"], row["value"], row["log_loss"], "", "", *values[3:]]
    if quality is None:
        return
    for group in quality["groups"]:
        for name in ("accuracy", "log_loss", "agreement"):
            yield _row(name, group["by"], group["value"], group[name], group["comparisons"])
    for one in quality["bins"]:
        yield _row("calibration", "predicted", f"{one['predicted']:.4f}", one["observed"], one["pairs"])
    yield ["expected_calibration_error", "", "", quality["calibration_error"], "", "", "", "", ""]
    for one in quality["preferences"]:
        for name in ("model", "people", "apart"):
            yield _row(f"preference_{name}", "feature", one["key"], one[name], one["pairs"])
    for one in [*quality["length"], *quality["by_length"]]:
        yield _row(one["key"], "", "", one, "")


def _row(name: str, by: str, of: str, one: dict[str, Any], pairs: Any) -> list[Any]:
    return [name, by, of, one["value"], one["low"], one["high"], one["items"], pairs, one["why"]]
