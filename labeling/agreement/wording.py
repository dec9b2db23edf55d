"""Figures with names and words: what the page, the CSV file and the API all say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from labeling.agreement.figures import Figures, Of, Overall
from labeling.agreement.resampling import FEWEST, Estimate
from labeling.agreement.rows import COHORTS, PURPOSES, USE_CASES
from labeling.guidelines.models import Guideline, Purpose
from labeling.labelers.models import Cohort, Labeler
from labeling.prompts.models import UseCase
from labeling.queue.models import Batch
from labeling.rubrics.models import Rubric

NOBODY = "fewer than 2 labelers on any item"
NO_PAIR = "no two completions that both labelers put in order"
ALL_TIED = "the labelers tie everything, so nothing is left to agree on"
NO_RATINGS = "fewer than 2 labelers rated the same completion"
SAME_RATINGS = "all ratings are the same, so agreement cannot be told from chance"
NOT_ASKED = "fewer than 2 labelers were asked about the same completion"


class Figure(TypedDict):
    """Of an undefined figure `value` is None and `why` says why; of one from too few items the interval is None."""

    value: float | None
    low: float | None
    high: float | None
    items: int
    why: str


class Line(Figure):
    key: str
    label: str
    explained: str


class FlagLine(TypedDict):
    key: str
    label: str
    ticked: int
    answers: int
    same: Figure
    kappa: Figure


class LabelerLine(Figure):
    labeler: str
    cohort: str


class PairLine(Figure):
    labeler: str
    other: str


class GroupLine(TypedDict):
    value: str
    label: str
    ties_excluded: Figure
    ties_half: Figure
    tau_b: Figure


class Group(TypedDict):
    by: str
    label: str
    lines: list[GroupLine]


class PeriodLine(Figure):
    since: str
    until: str


class Counts(TypedDict):
    """`rankings` and `items` in all; `shared_…` of items that several labelers ranked; `comparisons` of two rankings
    of one item."""

    rankings: int
    items: int
    shared_rankings: int
    shared_items: int
    labelers: int
    comparisons: int


class Report(TypedDict):
    version: str
    computed_at: str
    filters: dict[str, Any]
    counts: Counts
    overall: list[Line]
    ratings: list[Line]
    flags: list[FlagLine]
    labelers: list[LabelerLine]
    pairs: list[PairLine]
    groups: list[Group]
    periods: list[PeriodLine]


def said(filters: Mapping[str, Any], version: str, computed_at: datetime, counts: Counts, figures: Figures) -> Report:
    """The figures of these filters, with the names that things have now."""
    shared = counts["shared_items"] > 0
    labelers = {pk: (name, Cohort(cohort).label) for pk, name, cohort in _labelers(figures.others)}
    return Report(
        version=version,
        computed_at=computed_at.isoformat(timespec="seconds"),
        filters={name: str(value) for name, value in filters.items()},
        counts=counts,
        overall=_overall(figures.overall, shared),
        ratings=_ratings(figures.overall),
        flags=_flags(figures),
        labelers=sorted(
            [
                LabelerLine(labeler=labelers[pk][0], cohort=labelers[pk][1], **figure(one, NO_PAIR))
                for pk, one in figures.others.items()
            ],
            key=lambda line: (line["value"] is None, line["value"], line["labeler"]),
        ),
        pairs=[
            PairLine(labeler=labelers[a][0], other=labelers[b][0], **figure(one, NO_PAIR))
            for (a, b), one in figures.pairs.items()
        ],
        groups=_groups(figures),
        periods=[
            PeriodLine(since=one.first.isoformat(), until=one.last.isoformat(), **figure(one.ties_excluded, NO_PAIR))
            for one in figures.periods
        ],
    )


def figure(estimate: Estimate | None, why: str) -> Figure:
    if estimate is None:
        return Figure(value=None, low=None, high=None, items=0, why=why)
    few = f"no interval from fewer than {FEWEST} items" if estimate.low is None else ""
    return Figure(value=estimate.value, low=estimate.low, high=estimate.high, items=estimate.items, why=few)


def _labelers(ids: Iterable[int]) -> Iterable[tuple[int, str, str]]:
    return Labeler.objects.filter(pk__in=list(ids)).values_list("pk", "pseudonym", "cohort")


def _line(key: str, label: str, estimate: Estimate | None, why: str, explained: str) -> Line:
    return Line(key=key, label=label, explained=explained, **figure(estimate, why))


def _overall(found: Overall, shared: bool) -> list[Line]:
    chance = f"; rankings by chance would give {found.w_by_chance:.2f}" if found.w_by_chance is not None else ""
    return [
        _line(
            "ties_excluded", "Agreement, ties excluded", found.rankings.ties_excluded, NO_PAIR if shared else NOBODY,
            "of the pairs of completions that both labelers put in order, the share they order alike",
        ),
        _line(
            "ties_half", "Agreement, ties as half", found.rankings.ties_half, NOBODY,
            "of all pairs: 1 where both say the same, a tie of both included; a half where one alone sees a tie",
        ),
        _line(
            "tau_b", "Kendall’s tau-b", found.rankings.tau_b, ALL_TIED if shared else NOBODY,
            "the mean over every two rankings of an item; 1 the same order, 0 chance, −1 reversed",
        ),
        _line(
            "w", "Kendall’s W", found.w, ALL_TIED if shared else NOBODY,
            f"the mean over items; 1 where all rank alike{chance}",
        ),
        _line(
            "alpha", "Krippendorff’s alpha of the rankings", found.alpha, ALL_TIED if shared else NOBODY,
            "by Kemeny’s distance; 1 the same order, 0 chance",
        ),
    ]  # fmt: skip


def _ratings(found: Overall) -> list[Line]:
    same = NO_RATINGS if found.rating_same is None else SAME_RATINGS
    return [
        _line(
            "rating_ordinal", "Krippendorff’s alpha, ordinal", found.rating_ordinal, same,
            "ratings from 1 to 7 as an order; 1 the same ratings, 0 chance",
        ),
        _line(
            "rating_interval", "Krippendorff’s alpha, interval", found.rating_interval, same,
            "ratings from 1 to 7 as numbers; 1 the same ratings, 0 chance",
        ),
        _line(
            "rating_same", "Same rating", found.rating_same, NO_RATINGS,
            "of every two labelers of a completion, the share who rate it the same",
        ),
    ]  # fmt: skip


def flag_names() -> dict[str, str]:
    """By key, of all flags that any rubric asks."""
    asked = [question for rubric in Rubric.objects.order_by("version") for question in rubric.flags]
    return {question["key"]: question["label"] for question in asked}


def of_two(overall: Overall) -> list[Line]:
    """What two labelers have in common, on the items that both ranked."""
    shared = overall.rankings.ties_half is not None
    return [line for line in _overall(overall, shared) if line["key"] != "w"] + _ratings(overall)


def kappas(found: Mapping[str, Estimate | None]) -> list[tuple[str, Figure]]:
    """Cohen's kappa of each flag, under the flag's name."""
    names = flag_names()
    why = "both always said the same, so agreement cannot be told from chance"
    return [(names[key], figure(one, why)) for key, one in found.items()]


def _flags(figures: Figures) -> list[FlagLine]:
    names = flag_names()
    lines = []
    for flag in figures.flags:
        habit = "never" if not flag.ticked else "always" if flag.ticked == flag.answers else ""
        why = f"{habit} ticked, so agreement cannot be told from chance" if habit and flag.same else NOT_ASKED
        lines.append(
            FlagLine(
                key=flag.key,
                label=names[flag.key],
                ticked=flag.ticked,
                answers=flag.answers,
                same=figure(flag.same, NOT_ASKED),
                kappa=figure(flag.kappa, why),
            )
        )
    return lines


def _groups(figures: Figures) -> list[Group]:
    batches = dict(Batch.objects.filter(pk__in=figures.groups["batch"]).values_list("pk", "name"))
    guidelines = {row.pk: str(row) for row in Guideline.objects.filter(pk__in=figures.groups["guideline"])}
    of_rounds = Batch.objects.filter(stage__round__in=figures.groups["round"])
    rounds = dict(of_rounds.values_list("stage__round_id", "stage__round__name"))
    names: list[tuple[str, str, dict[int, tuple[str, str]]]] = [
        ("use_case", "Use case", _choices(USE_CASES, UseCase)),
        ("batch", "Batch", _rows(batches)),
        ("round", "Round", _rows(rounds)),
        ("guideline", "Guideline", _rows(guidelines)),
        ("cohort", "Cohort", _choices(COHORTS, Cohort)),
        ("purpose", "Purpose", _choices(PURPOSES, Purpose)),
    ]
    return [
        Group(by=by, label=label, lines=[_group_line(*said[value], of) for value, of in figures.groups[by].items()])
        for by, label, said in names
    ]


def _choices(codes: list[str], choices: Any) -> dict[int, tuple[str, str]]:
    return {code: (value, choices(value).label) for code, value in enumerate(codes)}


def _rows(names: dict[int, str]) -> dict[int, tuple[str, str]]:
    return {pk: (str(pk), name) for pk, name in names.items()}


def _group_line(value: str, label: str, of: Of) -> GroupLine:
    return GroupLine(
        value=value,
        label=label,
        ties_excluded=figure(of.ties_excluded, NO_PAIR),
        ties_half=figure(of.ties_half, NOBODY),
        tau_b=figure(of.tau_b, ALL_TIED),
    )
