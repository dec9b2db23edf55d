"""One item side by side: a row for each completion, a column for each labeler."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from labeling.agreement.consensus import majority
from labeling.agreement.pairs import Rankings
from labeling.evaluation.agreement import Pairs, compare
from labeling.queue.models import WorkItem
from labeling.rankings.models import RankedCompletion, Ranking


class Said(NamedTuple):
    """What one labeler said of one completion."""

    place: int
    rating: int | None
    flags: list[str]


class Row(NamedTuple):
    completions: tuple[int, ...]  # identical samples share a row
    text: str
    said: list[Said]
    majority: int  # the place by majority


class Sheet(NamedTuple):
    """`rows`: the completion that the majority prefers comes first. `twos`: how far every two labelers agree."""

    rankings: list[Ranking]
    rows: list[Row]
    twos: list[tuple[Ranking, Ranking, Pairs]]


def of(item: WorkItem) -> Sheet:
    rankings = list(item.rankings.select_related("labeler").order_by("created_at", "pk"))
    labels = {question["key"]: question["label"] for question in item.batch.rubric.flags}
    by_text: dict[str, dict[int, Said]] = {}
    samples: dict[str, dict[int, None]] = {}
    placed = RankedCompletion.objects.filter(ranking__in=rankings).select_related("completion")
    for row in placed.order_by("completion_id"):
        # Identical samples share a card, and so all that is said of them.
        said = Said(row.place, row.rating, [labels.get(key, key) for key in row.flags])
        by_text.setdefault(row.completion.text.strip(), {})[row.ranking_id] = said
        samples.setdefault(row.completion.text.strip(), {})[row.completion_id] = None
    rows = [
        Row(tuple(samples[text]), text, [said[ranking.pk] for ranking in rankings], place)
        for (text, said), place in zip(by_text.items(), _majority(rankings, by_text), strict=True)
    ]
    places = {ranking.pk: {text: said[ranking.pk].place for text, said in by_text.items()} for ranking in rankings}
    return Sheet(
        rankings=rankings,
        rows=sorted(rows, key=lambda row: row.majority),
        twos=[(a, b, _compared(places, a, b)) for a, b in itertools.combinations(rankings, 2)],
    )


def _majority(rankings: list[Ranking], by_text: Mapping[str, Mapping[int, Said]]) -> list[int]:
    """The texts' places by majority, in their order."""
    if not rankings:
        return []
    places = np.array([[said[ranking.pk].place for said in by_text.values()] for ranking in rankings], dtype=np.uint8)
    alone = Rankings(places, np.zeros(len(rankings), np.int64), np.arange(len(rankings)))
    found: list[int] = majority(alone, 1)[0].tolist()
    return found


def _compared(places: Mapping[int, Mapping[str, Any]], one: Ranking, other: Ranking) -> Pairs:
    return compare(places[one.pk], places[other.pk])
