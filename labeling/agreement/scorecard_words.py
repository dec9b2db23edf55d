"""Scorecards with names and words: what the pages, the CSV file and the API all say."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from labeling.agreement import consensus_report
from labeling.agreement.answers import KnownAnswer
from labeling.agreement.cards import Card, Cards, Shown
from labeling.agreement.scorecard import DRIFT, GOLD
from labeling.agreement.speed import EDGES
from labeling.labelers.models import Labeler
from labeling.prompts.topics import names_of
from labeling.queue.skips import label_of

FEW = "too few rankings"
UNDEFINED = {
    "with_others": "nothing to compare with",
    "repeats_earlier": "nothing to compare with",
    GOLD: "no gold item yet",
    DRIFT: "no drift item twice yet",
}
# name → label, how it is written, what it says, which items are behind it
FIGURES: dict[str, tuple[str, str, str, str]] = {
    "with_others": (
        "With the others", "share",
        "of the pairs that the labeler orders, the share ordered as most of the others of the item do", "others",
    ),
    "first_preferred": (
        "Prefers what stood first", "share",
        "of two completions put in order, how often the one higher on the page is preferred; one half without a habit",
        "first",
    ),
    "same_pattern": (
        "The same places again", "share",
        "rankings with the most frequent places from top to bottom, of those with as many completions; needs 25",
        "pattern",
    ),
    "entropy": ("Entropy of the places", "bits", "in bits a ranking; 0 is always the same places", "pattern"),
    "repeats_earlier": (
        "The same as an earlier ranking", "share",
        "of the rankings that had an earlier one of the item, the share that is exactly the same", "repeats",
    ),
    "ties": ("Ties", "share", "of all pairs of completions, the share placed equal", ""),
    GOLD: (
        "As the gold answers", "share",
        "of the pairs of gold items that the labeler and the researcher both order, the share ordered alike", "known",
    ),
    DRIFT: (
        "As the first time", "share",
        "of the pairs of drift items that the labeler orders again, the share ordered as the first time", "known",
    ),
}  # fmt: skip


class FigureLine(TypedDict):
    key: str
    label: str
    kind: str
    explained: str
    value: float | None
    low: float | None
    high: float | None
    others: float | None
    why: str
    by: str


class Said(TypedDict):
    labeler: str
    cohort: str
    state: str
    rankings: int
    flags: list[dict[str, str]]
    figures: list[FigureLine]
    reliability: float | None
    reliability_is_current: bool
    positions: list[dict[str, Any]]
    pattern: list[int]
    speed: dict[str, Any]
    skips: dict[str, Any]
    weeks: list[dict[str, Any]]
    known_answers: list[dict[str, Any]]
    known_weeks: list[dict[str, Any]]


def of_labeler(cards: Cards, labeler: Labeler, looked: consensus_report.Looked) -> Said:
    """One labeler's card; of one who has done nothing an empty one."""
    card = cards.by_labeler.get(labeler.pk)
    reliability = consensus_report.of_labeler(looked.fitted, labeler.pk) if looked.fitted else None
    return Said(
        labeler=labeler.pseudonym,
        cohort=labeler.get_cohort_display(),
        state=labeler.get_state_display(),
        rankings=card.rankings if card else 0,
        flags=[flag._asdict() for flag in card.flags] if card else [],
        figures=[_line(name, card.figures[name]) for name in FIGURES] if card else [],
        reliability=reliability,
        reliability_is_current=looked.is_current,
        positions=[{"at": at, "won": share, "pairs": pairs} for at, share, pairs in card.won_at] if card else [],
        pattern=card.pattern if card else [],
        speed=_speed(card) if card else {},
        skips=_skips(card) if card else {},
        weeks=_weeks(card) if card else [],
        known_answers=_answers(card.known_answers) if card else [],
        known_weeks=_known_weeks(card.known_answers) if card else [],
    )


def of_everybody(cards: Cards) -> list[Said]:
    looked = consensus_report.look()
    people = Labeler.objects.filter(pk__in=cards.by_labeler)
    return [of_labeler(cards, labeler, looked) for labeler in people]


def value_of(said: Mapping[str, Any], key: str) -> float | None:
    """A figure by its key, for sorting and for tables."""
    found = next((line["value"] for line in said["figures"] if line["key"] == key), None)
    return None if found is None else float(found)


def bins() -> list[str]:
    """What the bins of minutes are called: `0 to 0.5`, …, `20 or more`."""
    between = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(EDGES)]
    return [*between, f"{EDGES[-1]:g} or more"]


def _line(name: str, shown: Shown) -> FigureLine:
    label, kind, explained, by = FIGURES[name]
    why = "" if shown.value is not None else UNDEFINED.get(name, FEW)
    return FigureLine(
        key=name, label=label, kind=kind, explained=explained, by=by, why=why,
        value=shown.value, low=shown.low, high=shown.high, others=shown.others,
    )  # fmt: skip


def _speed(card: Card) -> dict[str, Any]:
    speed = card.speed._asdict()
    return {**speed, "bins": bins()}


def _skips(card: Card) -> dict[str, Any]:
    found = card.skipped
    names = dict(zip(found.topics, names_of(found.topics), strict=True))
    return {
        "pieces": found.pieces,
        "share": found.share,
        "others": found.others,
        "reasons": [{"label": label_of(key), "pieces": count} for key, count in found.reasons.items()],
        "topics": [{"label": names[key], "pieces": count} for key, count in found.topics.items()],
    }


def _weeks(card: Card) -> list[dict[str, Any]]:
    return [
        {
            "since": week.since.isoformat(),
            "rankings": week.rankings,
            "minutes": week.minutes,
            "value": week.with_others.value if week.with_others else None,
            "low": week.with_others.low if week.with_others else None,
            "high": week.with_others.high if week.with_others else None,
            "items": week.with_others.items if week.with_others else 0,
        }
        for week in card.weeks
    ]


def _answers(known: Sequence[KnownAnswer]) -> list[dict[str, Any]]:
    return [
        {"on": one.made.date().isoformat(), "kind": one.kind, "item": one.item, "right": one.right, "pairs": one.pairs}
        for one in known
    ]


def _known_weeks(known: Sequence[KnownAnswer]) -> list[dict[str, Any]]:
    """From Monday to Sunday, oldest first: of each kind its answers, and their pairs ordered as known."""
    weeks: dict[str, dict[str, Any]] = {}
    for one in known:
        monday = (one.made - timedelta(days=one.made.weekday())).date().isoformat()
        week = weeks.setdefault(monday, {"since": monday, GOLD: _none(), DRIFT: _none()})
        for name, count in (("answers", 1), ("right", one.right), ("pairs", one.pairs)):
            week[one.kind][name] += count
    for week in weeks.values():
        for kind in (GOLD, DRIFT):
            week[kind]["share"] = week[kind]["right"] / week[kind]["pairs"] if week[kind]["pairs"] else None
    return list(weeks.values())


def _none() -> dict[str, Any]:
    return {"answers": 0, "right": 0, "pairs": 0}
