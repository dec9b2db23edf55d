"""The scorecards of all labelers: computed together, since each is read beside the others, and kept by version."""

from collections import Counter
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from django.utils import timezone

from labeling.agreement import answers, behind, evidence, habits, rows, speed
from labeling.agreement.answers import KnownAnswer
from labeling.agreement.known import known
from labeling.agreement.labels import Labels
from labeling.agreement.pairs import against_the_others
from labeling.agreement.resampling import Estimate, Floats, Ints, Observations, cells, estimates
from labeling.agreement.rows import Filters
from labeling.agreement.scorecard import DRIFT, GOLD, OnKnown, Scorecards, falls_short, flags, on_known, scorecards
from labeling.agreement.speed import Speed
from labeling.queue.skips import UNCOMFORTABLE

WEEK = 7 * 86400
MONDAY = 4 * 86400  # 1970-01-01 was a Thursday


class Shown(NamedTuple):
    """A figure beside the other labelers' median; each None where there is nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    others: float | None


class Week(NamedTuple):
    since: date
    rankings: int
    with_others: Estimate | None
    minutes: float | None


class Skipped(NamedTuple):
    """By reason and by topic. `share`: of all pieces that the labeler took and ended, those left out that were passed
    on as uncomfortable or that touch a topic, for they say something of the piece; `others`: their median."""

    pieces: int
    share: float | None
    others: float | None
    reasons: dict[str, int]
    topics: dict[str, int]


class Card(NamedTuple):
    """`figures` by name; `won_at`: by where a completion stood from the top, the share of pairs that it won; `pattern`:
    the most frequent places from top to bottom; `lists`: items behind the figures, with a number each; `known_answers`:
    oldest first."""

    labeler: int
    rankings: int
    figures: dict[str, Shown]
    flags: list[evidence.Evidence]
    won_at: list[tuple[int, float, int]]
    pattern: list[int]
    speed: Speed
    skipped: Skipped
    weeks: list[Week]
    lists: dict[str, list[tuple[int, float]]]
    known_answers: list[KnownAnswer]


class Cards(NamedTuple):
    version: str
    computed_at: datetime
    by_labeler: dict[int, Card]


def of_all() -> Cards:
    """Of everybody who has ranked or passed on anything."""
    listed, checks = rows.listed(Filters()), answers.listed()
    version = sha256(f"{listed.version} {habits.version()} {checks.version}".encode()).hexdigest()[:16]
    return known("cards", version, lambda: _computed(version, listed, checks))


def _computed(version: str, listed: rows.Listed, checks: answers.Listed) -> Cards:
    labels = rows.read(Filters(), listed, alone=True)
    position, took, passed = habits.positions(labels), habits.timed(), habits.skips()
    answered = answers.known_answers(checks)
    others_too = [[skip.labeler for skip in passed], [answer.labeler for answer in answered]]
    people = np.unique(np.concatenate([labels.labelers, took.labeler, *others_too])).astype(np.int64)
    labels = _among(labels, people)
    found = scorecards(labels.rankings, position, len(labels.items), len(people))
    minutes = took.seconds / 60
    fast = speed.speeds(took.labeler, minutes, people)
    skipped = _skipped(people, found.rankings, passed)
    others = against_the_others(labels.rankings, len(labels.items))
    week = (labels.about["made"] - MONDAY) // WEEK
    weeks = _weeks(labels, others, week, took, people)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = others.above / np.where(others.below > 0, others.below, np.nan)
    figures = _figures(labels, others, found, len(people))
    of_known = {kind: _on_known([one for one in answered if one.kind == kind], people) for kind in (GOLD, DRIFT)}
    figures |= {kind: shown for kind, (_, shown) in of_known.items()}
    short = {kind: falls_short(rates) for kind, (rates, _) in of_known.items()}
    won = behind.won_at(labels.rankings, position, len(people))
    raised = flags(found)
    pages, repeated = behind.on_page(labels.rankings, position), behind.repeats(labels.rankings)
    first = behind.first_preferred(labels.rankings, position)
    made = {}
    for at, labeler in enumerate(people.tolist()):
        own = labels.rankings.labeler == at
        items = labels.items[labels.rankings.item[own]]
        pattern, has_it = behind.most_frequent(pages[own]) if own.any() else ([], np.zeros(0, bool))
        theirs = took.labeler == labeler
        made[labeler] = Card(
            labeler=labeler,
            rankings=int(found.rankings[at]),
            figures={name: values[at] for name, values in figures.items()},
            flags=evidence.of(at, found, raised, fast[at])
            + [evidence.of_known(at, kind, of_known[kind][0]) for kind in of_known if short[kind][at]],
            won_at=[(p, float(w / n), int(n)) for p, (w, n) in enumerate(won[at].tolist()) if n],
            pattern=pattern,
            speed=fast[at],
            skipped=skipped[at],
            weeks=weeks[at],
            lists={
                "first": behind.highest(items, first[own]),
                "pattern": behind.highest(items[has_it], np.ones(int(has_it.sum()))),
                "repeats": behind.highest(items[repeated[own]], np.ones(int(repeated[own].sum()))),
                "fast": behind.highest(took.item[theirs], minutes[theirs], lowest=True),
                **{
                    f"week-{_monday(number).isoformat()}": behind.highest(
                        labels.items[labels.rankings.item[own & (week == number)]],
                        alike[own & (week == number)],
                        lowest=True,
                    )
                    for number in np.unique(week[own]).tolist()
                },
            },
            known_answers=[one for one in answered if one.labeler == labeler],
        )
    return Cards(version, timezone.now(), made)


def _among(labels: Labels, people: Ints) -> Labels:
    """The same labels, the labelers' numbers being places in `people`."""
    place = np.searchsorted(people, labels.labelers)
    labeler = place[labels.rankings.labeler] if len(place) else labels.rankings.labeler
    return labels._replace(rankings=labels.rankings._replace(labeler=labeler), labelers=people)


def _figures(labels: Labels, others: Observations, found: Scorecards, count: int) -> dict[str, list[Shown]]:
    by_labeler = cells(others, labels.rankings.labeler, count=count, items=len(labels.items))
    (drawn,) = estimates([], [by_labeler])[1]
    ties, pairs = (np.bincount(labels.rankings.labeler, one, count) for one in behind.tied(labels.rankings))
    with np.errstate(invalid="ignore", divide="ignore"):
        tied = np.where(pairs > 0, ties / pairs, np.nan)
        # z counts standard errors from one half, so it gives the error back.
        error = np.abs((found.first_preferred - 0.5) / found.first_preferred_z)
    ends = np.stack([found.first_preferred - 1.96 * error, found.first_preferred + 1.96 * error], axis=1)
    return {
        "with_others": _beside(found.with_others, [(one.low, one.high) if one else (None, None) for one in drawn]),
        "first_preferred": _beside(
            found.first_preferred, [(None, None) if np.isnan(end).any() else tuple(end.tolist()) for end in ends]
        ),
        "same_pattern": _beside(found.same_pattern),
        "entropy": _beside(found.entropy),
        "repeats_earlier": _beside(found.repeats_earlier),
        "ties": _beside(tied),
    }


def _on_known(answered: list[KnownAnswer], people: Ints) -> tuple[OnKnown, list[Shown]]:
    """Answers of one kind: what the flag goes by, and the figure, whose interval draws the comparisons that recur."""
    table = np.array([(one.right, one.pairs, one.labeler, one.origin) for one in answered], np.int64).reshape(-1, 4)
    right, pairs = table[:, 0].astype(float), table[:, 1].astype(float)
    labeler, (origins, origin) = np.searchsorted(people, table[:, 2]), np.unique(table[:, 3], return_inverse=True)
    rates = on_known(right, pairs, labeler, len(people))
    by_labeler = cells(Observations(right, pairs, origin), labeler, count=len(people), items=len(origins))
    (drawn,) = estimates([], [by_labeler])[1]
    return rates, _beside(rates.rate, [(one.low, one.high) if one else (None, None) for one in drawn])


def _beside(values: Floats, ends: list[tuple[float | None, ...]] | None = None) -> list[Shown]:
    shown = []
    for at, value in enumerate(values.tolist()):
        rest = np.delete(values, at)
        rest = rest[~np.isnan(rest)]
        low, high = ends[at] if ends else (None, None)
        known_ = not np.isnan(value)
        shown.append(
            Shown(
                value if known_ else None,
                low if known_ else None,
                high if known_ else None,
                float(np.median(rest)) if len(rest) else None,
            )
        )
    return shown


def _skipped(people: Ints, ranked: Ints, passed: list[habits.Skip]) -> list[Skipped]:
    counts, counted = Counter[int](), Counter[int]()
    reasons: dict[int, Counter[str]] = {}
    topics: dict[int, Counter[str]] = {}
    for skip in passed:
        counts[skip.labeler] += skip.pieces
        if skip.reason != UNCOMFORTABLE and not skip.topics:
            counted[skip.labeler] += skip.pieces
        reasons.setdefault(skip.labeler, Counter())[skip.reason] += skip.pieces
        for topic in skip.topics:
            topics.setdefault(skip.labeler, Counter())[topic] += skip.pieces
    count = np.array([counted[labeler] for labeler in people.tolist()], dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(count + ranked > 0, count / (count + ranked), np.nan)
    return [
        Skipped(
            counts[labeler],
            beside.value,
            beside.others,
            dict(reasons.get(labeler, Counter()).most_common()),
            dict(topics.get(labeler, Counter()).most_common()),
        )
        for labeler, beside in zip(people.tolist(), _beside(share), strict=True)
    ]


def _monday(week: int) -> date:
    return date(1970, 1, 1) + timedelta(days=4 + 7 * week)


def _weeks(labels: Labels, others: Observations, week: Ints, took: habits.Timed, people: Ints) -> list[list[Week]]:
    """From Monday to Sunday; weeks in which a labeler ranked nothing are left out."""
    if not len(labels.items):
        return [[] for _ in people]
    keys, at, counts = np.unique(labels.rankings.labeler * 10**6 + week, return_inverse=True, return_counts=True)
    (drawn,) = estimates([], [cells(others, at, count=len(keys), items=len(labels.items))])[1]
    when = (took.ended - MONDAY) // WEEK
    made: list[list[Week]] = [[] for _ in people]
    for key, count, one in zip(keys.tolist(), counts.tolist(), drawn, strict=True):
        labeler, number = divmod(key, 10**6)
        own = took.seconds[(took.labeler == people[labeler]) & (when == number)]
        made[labeler].append(Week(_monday(number), count, one, float(np.median(own)) / 60 if len(own) else None))
    return made
