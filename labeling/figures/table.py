"""The figures as one table, a figure a row: the CSV file."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

HEAD = ["figure", "policy", "kind", "parameters", "baseline", "cohort", "of", "value", "low", "high", "prompts", "note"]


def as_csv(report: dict[str, Any]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows([safe(cell) for cell in row] for row in _rows(report))
    return text.getvalue()


def safe(cell: Any) -> Any:
    """A name that a person chose must not become a formula in a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _rows(report: dict[str, Any]) -> Iterator[list[Any]]:
    for line in report["preference"]:
        yield _row("preference", line, line["baseline_name"])
    for line in report["cohorts"]:
        yield _row("preference_by_cohort", line, line["baseline_name"], line["cohort"], line["value_of"])
    for flag in report["flags"]:
        for line in flag["lines"]:
            yield _row("flag", line, of=flag["flag"])
    for line in report["ratings"]:
        yield _row("rating", line)
    for task in report["tax"]:
        for line in task["lines"]:
            yield _row("benchmark", line, of=task["name"])
            if line["tax"] is not None:
                taxed = {**line, "value": line["tax"], "low": line["tax_low"], "high": line["tax_high"]}
                yield _row("alignment_tax", taxed, of=task["name"])
    for mark in report["paper"]["preference"]:
        yield [
            "paper_preference",
            mark["label"],
            "",
            "",
            "",
            "",
            "",
            mark["value"],
            mark["low"],
            mark["high"],
            "",
            mark["where"],
        ]


def _row(figure: str, line: dict[str, Any], baseline: str = "", cohort: str = "", of: str = "") -> list[Any]:
    about = [line["policy"], line["kind"], line["parameters"], baseline, cohort, of]
    return [figure, *about, line["value"], line["low"], line["high"], line.get("prompts"), line["why"]]
