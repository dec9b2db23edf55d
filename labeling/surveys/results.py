"""A survey's results, in aggregate: what `cells.py` lets through, for the page and for CSV. Only reads."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from labeling.surveys.cells import Cell, cells
from labeling.surveys.models import Survey
from labeling.surveys.questions import Question


@dataclass(frozen=True)
class Result:
    question: Question
    cells: list[Cell]


def results(survey: Survey) -> list[Result]:
    """One result a question, without cells where nothing may be shown."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for question, choice, shown in survey.counts.values_list("question", "choice", "shown"):
        counts[question][choice] = shown
    return [Result(question, cells(question, counts[question["key"]], survey.shown)) for question in survey.questions]


def write_csv(survey: Survey, out: Any) -> None:
    """One line a bar; a hidden count is empty."""
    writer = csv.writer(out)
    writer.writerow(["survey", "question", "choices", "count", "of", "percent"])
    for result in results(survey):
        for cell in result.cells:
            count, percent = ("", "") if cell.percent is None else (cell.count, f"{cell.percent:.1f}")
            writer.writerow([survey.title, result.question["text"], cell.words, count, cell.of, percent])
