"""The report as one table, a figure a row: the CSV file."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from labeling.agreement.wording import Report

HEAD = ["figure", "by", "of", "and", "name", "value", "low", "high", "items", "note"]


def as_csv(report: Report) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows(_row(*cells) for cells in _rows(report))
    return text.getvalue()


def _rows(report: Report) -> Iterator[tuple[str, str, str, str, str, Any]]:
    for line in [*report["overall"], *report["ratings"]]:
        yield line["key"], "overall", "", "", line["label"], line
    for labeler in report["labelers"]:
        yield "against_the_others", "labeler", labeler["labeler"], "", labeler["cohort"], labeler
    for pair in report["pairs"]:
        yield "ties_excluded", "labelers", pair["labeler"], pair["other"], "", pair
    for group in report["groups"]:
        for one in group["lines"]:
            for key, figure in (
                ("ties_excluded", one["ties_excluded"]),
                ("ties_half", one["ties_half"]),
                ("tau_b", one["tau_b"]),
            ):
                yield key, group["by"], one["value"], "", one["label"], figure
    for period in report["periods"]:
        yield "ties_excluded", "time", period["since"], period["until"], "", period
    for flag in report["flags"]:
        yield "same_flag", "flag", flag["key"], "", flag["label"], flag["same"]
        yield "fleiss_kappa", "flag", flag["key"], "", flag["label"], flag["kappa"]


def _row(figure: str, by: str, of: str, other: str, name: str, found: Any) -> list[Any]:
    # A name that a person chose must not become a formula in a spreadsheet.
    safe = f"'{name}" if name[:1] in ("=", "+", "-", "@") else name
    return [figure, by, of, other, safe, found["value"], found["low"], found["high"], found["items"], found["why"]]
