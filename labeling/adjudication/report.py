"""The decisions that hold, as plain values: the API and the CSV file."""

import csv
from collections import Counter
from io import StringIO
from typing import Any

from labeling.adjudication import taxonomy
from labeling.adjudication.models import Decision

HEAD = ["decision", "item", "prompt_id", "revision", "taken_from", "places", "errors", "reason", "made_by", "made_at"]


def decisions() -> list[dict[str, Any]]:
    """The newest first. `places`: [[completion id, place], …]."""
    held = Decision.objects.filter(is_holding_for__isnull=False).order_by("-made_at")
    return [
        {
            "decision": row.pk,
            "item": row.item_id,
            "prompt_id": str(row.item.prompt_id),
            "revision": row.revision,
            "taken_from": row.taken_from.labeler.pseudonym if row.taken_from else None,
            "places": row.places,
            "errors": row.errors,
            "reason": row.reason,
            "made_by": str(row.made_by),
            "made_at": row.made_at.isoformat(timespec="seconds"),
        }
        for row in held.select_related("item", "made_by", "taken_from__labeler")
    ]


def kinds_of_errors() -> list[tuple[str, int]]:
    """How many of the decisions that hold name each kind, the most frequent first."""
    counts = Counter[str]()
    for errors in Decision.objects.filter(is_holding_for__isnull=False).values_list("errors", flat=True):
        counts.update(errors)
    labels = taxonomy.labels()
    return [(labels.get(key, key), count) for key, count in counts.most_common()]


def as_csv() -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for row in decisions():
        places = " ".join(f"{completion}:{place}" for completion, place in row["places"])
        said = {**row, "places": places, "errors": " ".join(row["errors"]), "reason": _safe(row["reason"])}
        writer.writerow([_safe(str(said[name])) if name == "made_by" else said[name] for name in HEAD])
    return text.getvalue()


def _safe(text: str) -> str:
    """What a person wrote must not become a formula in a spreadsheet."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
