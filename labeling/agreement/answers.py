"""Answers that are known: gold items with a researcher's answer, and drift controls that recur.

Both are copies that `quality/known.py` mixes into batches. Of a gold item the researcher's answer as it stands now is
the known one. Of a drift control it is what the labeler said of the same comparison the first time, be it of the item
that the copies repeat or of an earlier copy.
"""

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from labeling.agreement.scorecard import DRIFT, GOLD
from labeling.quality.models import GoldAnswer
from labeling.queue.models import CHECKS, Control, WorkItem, WorkItemCompletion
from labeling.rankings.models import RankedCompletion, Ranking

Places = Mapping[int, int]


class KnownAnswer(NamedTuple):
    """How a labeler did on one such item. `item`: the copy that they ranked; `origin`: what it repeats; `right` of
    `pairs`: of those that both put in order, the ones ordered as the known answer."""

    labeler: int
    item: int
    origin: int
    kind: str  # GOLD or DRIFT
    made: datetime
    right: int
    pairs: int


class _Made(NamedTuple):
    ranking: int
    labeler: int
    item: int
    made: datetime
    corrected: datetime | None


class Listed(NamedTuple):
    """Rankings of copies, and of what drift controls repeat, oldest first; `copies`: the origin and the control of
    each copy; `gold`: places by origin. `version` changes with any of it."""

    made: list[_Made]
    copies: Mapping[int, tuple[int, int]]
    gold: Mapping[int, Places]
    version: str


def listed() -> Listed:
    rows = WorkItem.objects.filter(control__in=CHECKS).values_list("pk", "origin_id", "control")
    copies = {pk: (origin, control) for pk, origin, control in rows if origin is not None}
    if not copies:
        return Listed([], {}, {}, "")
    drifting = {origin for origin, control in copies.values() if control == Control.DRIFT}
    rankings = Ranking.objects.filter(item__in=[*copies, *drifting]).order_by("created_at", "pk")
    made = [_Made(*row) for row in rankings.values_list("pk", "labeler", "item", "created_at", "corrected_at")]
    answers = GoldAnswer.objects.filter(item__in={origin for origin, _ in copies.values()})
    gold = {answer.item_id: answer.places for answer in answers.order_by("item")}
    return Listed(made, copies, gold, sha256(repr((made, gold)).encode()).hexdigest()[:16])


def known_answers(of: Listed) -> list[KnownAnswer]:
    """Oldest first. What a labeler says of an item after they read our answer to it (teaching) is not counted."""
    places, different = _places(of.made), _different(of.copies)
    found: list[KnownAnswer] = []
    first: dict[tuple[int, int], Places] = {}
    told: set[tuple[int, int]] = set()
    for row in of.made:
        origin, control = of.copies.get(row.item, (row.item, Control.ORDINARY))
        who, mine = (row.labeler, origin), places[row.ranking]
        if who in told:
            continue
        if control in (Control.ORDINARY, Control.DRIFT):
            before = first.setdefault(who, mine)
            if control == Control.DRIFT and before is not mine:
                found.append(_answer(row, origin, DRIFT, alike(mine, before, different[origin])))
        elif origin in of.gold:
            found.append(_answer(row, origin, GOLD, alike(mine, of.gold[origin], different[origin])))
        if control == Control.TEACHING:
            told.add(who)
    return found


def alike(one: Places, other: Places, completions: Iterable[int]) -> tuple[int, int]:
    """Of the pairs that both put in order: how many alike, and all."""
    products = [(one[a] - one[b]) * (other[a] - other[b]) for a, b in itertools.combinations(completions, 2)]
    return sum(product > 0 for product in products), sum(product != 0 for product in products)


def _answer(row: _Made, origin: int, kind: str, pairs: tuple[int, int]) -> KnownAnswer:
    return KnownAnswer(row.labeler, row.item, origin, kind, row.made, *pairs)


def _places(made: list[_Made]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {row.ranking: {} for row in made}
    rows = RankedCompletion.objects.filter(ranking__in=list(found))
    for ranking, completion, place in rows.values_list("ranking", "completion", "place"):
        found[ranking][completion] = place
    return found


def _different(copies: Mapping[int, tuple[int, int]]) -> dict[int, list[int]]:
    """By origin its completions, one of each text: identical samples share a card, so they are one completion."""
    origins = {origin for origin, _ in copies.values()}
    first: dict[tuple[int, str], int] = {}
    rows = WorkItemCompletion.objects.filter(item__in=origins).order_by("completion")
    for origin, completion, text in rows.values_list("item", "completion", "completion__text"):
        first.setdefault((origin, text.strip()), completion)
    found: dict[int, list[int]] = {origin: [] for origin in origins}
    for (origin, _), completion in first.items():
        found[origin].append(completion)
    return found
