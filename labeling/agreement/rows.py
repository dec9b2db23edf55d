"""From the database to columns of numbers, in a few queries."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from labeling.agreement.labels import Labels
from labeling.agreement.pairs import Rankings
from labeling.agreement.resampling import Ints
from labeling.completions.models import Completion
from labeling.guidelines.models import Purpose
from labeling.labelers.models import Cohort
from labeling.prompts.models import UseCase
from labeling.queue.models import OWN, Batch, Kind
from labeling.rubrics.models import Rubric

USE_CASES, PURPOSES, COHORTS = list(UseCase.values), list(Purpose.values), list(Cohort.values)
OF_RANKINGS = ["id", "item", "labeler", "rubric", "guideline", "batch", "use_case", "made", "corrected"]
OF_BATCHES = ["round", "purpose", "cohort"]
RANKINGS = """
SELECT r.id, r.item_id, r.labeler_id, r.rubric_id, r.guideline_id, w.batch_id,
       array_position(%(use_cases)s::text[], p.use_case::text) - 1 AS use_case,
       date_part('epoch', r.created_at)::bigint AS made,
       coalesce(date_part('epoch', r.corrected_at) * 1000000, 0)::bigint AS corrected
FROM labeling_ranking r
JOIN labeling_workitem w ON w.id = r.item_id
JOIN labeling_prompt p ON p.id = w.prompt_id
WHERE {conditions}
"""
# What is said of a completion, in one number: four bits for its place, four for its rating, then its flags.
PLACES = """
SELECT c.ranking_id, c.completion_id, (c.place + 16 * coalesce(c.rating, 0))::bigint + 256 * {flags}
FROM labeling_rankedcompletion c
WHERE {wanted}
"""
WANTED = """c.ranking_id IN (
    SELECT r.id FROM labeling_ranking r JOIN labeling_workitem w ON w.id = r.item_id {prompts}
    WHERE w.done > {labels} AND {conditions}
)"""
# Gold and drift items show completions again that are in the data already: as items of their own they would count twice
# and make labelers look more consistent, or less, than new items do. What is said of them is in `answers.py`.
OF_THE_BATCH = f"w.control IN ({', '.join(str(int(control)) for control in OWN)})"
MOST = 0.5  # of all rankings: of more it is quicker to read what is said of all, and to drop the rest here


@dataclass(frozen=True)
class Filters:
    """Which rankings are looked at; what is None filters nothing. `until` is the last day that counts."""

    use_case: str | None = None
    batch: int | None = None
    round: int | None = None
    guideline: int | None = None
    cohort: str | None = None
    purpose: str | None = None
    since: date | None = None
    until: date | None = None

    def chosen(self) -> dict[str, Any]:
        """Those that filter."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


CONDITIONS = {
    "use_case": "p.use_case = %(use_case)s",
    "guideline": "r.guideline_id = %(guideline)s",
    "since": "r.created_at >= %(since)s::date",
    "until": "r.created_at < %(until)s::date + 1",
}


class Listed(NamedTuple):
    """What is known of rankings besides their places: each column [rankings], by item and then by age.

    `version` changes with any of these rankings and with all that they are filtered and grouped by.
    """

    about: dict[str, Ints]
    version: str


def listed(filters: Filters) -> Listed:
    """All rankings that the filters let through, those of items with a single labeler included, and those of gold and
    drift items left out."""
    batches = _batches(filters)
    conditions, parameters = _conditions(filters, list(batches))
    query = RANKINGS.format(conditions=conditions)
    found = columns(query, {**parameters, "use_cases": USE_CASES}, len(OF_RANKINGS))
    order = np.lexsort((found[0], found[1]))
    about = {name: column[order] for name, column in zip(OF_RANKINGS, found, strict=True)}
    known, at = np.unique(about["batch"], return_inverse=True)
    for name, values in zip(OF_BATCHES, zip(*(batches[batch] for batch in known.tolist()), strict=True), strict=False):
        about[name] = np.array(values)[at]
    for name in OF_BATCHES:
        about.setdefault(name, np.empty(0, np.int64))
    digest = sha256(b"".join(about[name].tobytes() for name in [*OF_RANKINGS, *OF_BATCHES]))
    return Listed(about, digest.hexdigest()[:16])


def read(filters: Filters, rankings: Listed, *, alone: bool = False) -> Labels:
    """What the rankings say, of items with several of them; with `alone` of all items."""
    about = rankings.about if alone else _of_several(rankings.about)
    keys, asked = _asked()
    conditions, parameters = _conditions(filters, list(_batches(filters)))
    ticked = " + ".join(f"CASE WHEN %(flag_{at})s = ANY(c.flags) THEN {1 << at} ELSE 0 END" for at in range(len(keys)))
    wanted = WANTED.format(
        prompts="JOIN labeling_prompt p ON p.id = w.prompt_id" if filters.use_case else "",
        labels=0 if alone else 1,
        conditions=conditions,
    )
    if not filters.chosen() and len(about["id"]) > MOST * len(rankings.about["id"]):
        wanted = "TRUE"
    query = PLACES.format(flags=f"CASE WHEN c.flags = '{{}}' THEN 0 ELSE {ticked or '0'} END::bigint", wanted=wanted)
    keyed = {f"flag_{at}": key for at, key in enumerate(keys)}
    return _arranged(about, columns(query, {**parameters, **keyed}, 3), keys, asked)


def _batches(filters: Filters) -> dict[int, tuple[int, int, int]]:
    """The round (0: none), purpose and cohort of each batch that the filters let through."""
    asked: dict[str, Any] = {
        "pk": filters.batch,
        "stage__round": filters.round,
        "purpose": filters.purpose,
        "cohort": filters.cohort,
    }
    batches = Batch.objects.filter(kind=Kind.RANK, **{name: value for name, value in asked.items() if value})
    found = batches.values_list("pk", "stage__round_id", "purpose", "cohort").order_by()
    return {pk: (round_ or 0, PURPOSES.index(purpose), COHORTS.index(cohort)) for pk, round_, purpose, cohort in found}


def _conditions(filters: Filters, batches: list[int]) -> tuple[str, dict[str, Any]]:
    chosen = filters.chosen()
    conditions = [OF_THE_BATCH, *(CONDITIONS[name] for name in chosen if name in CONDITIONS)]
    if chosen.keys() & {"batch", *OF_BATCHES}:
        conditions.append("w.batch_id = ANY(%(batches)s::bigint[])")
    return " AND ".join(conditions), {**chosen, "batches": batches}


def _of_several(about: dict[str, Ints]) -> dict[str, Ints]:
    """The rankings of items that have more than one of them here."""
    _, at, sizes = np.unique(about["item"], return_inverse=True, return_counts=True)
    kept = sizes[at] > 1
    return {name: column[kept] for name, column in about.items()}


def _arranged(about: dict[str, Ints], places: list[Ints], keys: list[str], asked: dict[int, int]) -> Labels:
    items, item = np.unique(about["item"], return_inverse=True)
    labelers, labeler = np.unique(about["labeler"], return_inverse=True)
    by_id = np.argsort(about["id"])
    found = _found(about["id"][by_id], places[0])
    row = by_id[found[found >= 0]] if len(by_id) else np.empty(0, np.int64)
    completion, said = (column[found >= 0] for column in places[1:])
    # An item's completions have their columns in the order of their ids.
    top = int(completion.max(initial=0)) + 1
    each, at = np.unique(item[row] * top + completion, return_inverse=True)
    column = np.arange(len(each)) - np.searchsorted(each // top, each // top)
    K = int(column.max(initial=-1)) + 1
    table = np.zeros((len(item), K), dtype=np.int64)
    table[row, column[at]] = said
    completions = np.zeros((len(items), K), dtype=np.int64)
    completions[each // top, column] = each % top
    table[_repeated((table % 16).astype(np.uint8), item, completions)[item]] = 0
    return Labels(
        rankings=Rankings((table % 16).astype(np.uint8), item, labeler),
        ratings=(table // 16 % 16).astype(np.uint8),
        flags=table // 256,
        asked=np.array([asked[rubric] for rubric in about["rubric"].tolist()], dtype=np.int64),
        flag_keys=keys,
        about=about,
        items=items,
        completions=completions,
        labelers=labelers,
    )


def _repeated(places: NDArray[np.uint8], item: Ints, completions: Ints) -> NDArray[np.bool_]:
    """[items, K]: whether a completion says the same as one in an earlier column of its item.

    Identical samples share a card (`rankings/cards.py`) and so a place in every ranking: only the texts of those that
    do are looked at.
    """
    again = np.zeros(completions.shape, dtype=bool)
    if not len(item):
        return again
    one, other = np.triu_indices(completions.shape[1], k=1)
    starts = np.flatnonzero(np.diff(item, prepend=-1))
    apart = np.add.reduceat(places[:, one] != places[:, other], starts, axis=0)
    alike = (apart == 0) & (completions[:, one] > 0) & (completions[:, other] > 0)
    where, which = np.nonzero(alike)
    firsts, seconds = completions[where, one[which]], completions[where, other[which]]
    texts = _texts(np.unique(np.concatenate([firsts, seconds])))
    same = np.array([texts[a] == texts[b] for a, b in zip(firsts.tolist(), seconds.tolist(), strict=True)], dtype=bool)
    again[where[same], other[which[same]]] = True
    return again


def _texts(completions: Ints) -> dict[int, bytes]:
    """By id, what stands for the text without blanks at its ends."""
    found = Completion.objects.filter(pk__in=completions.tolist()).values_list("pk", "text")
    return {pk: sha256(text.strip().encode(errors="surrogatepass")).digest() for pk, text in found.iterator(2000)}


def _found(ascending: Ints, wanted: Ints) -> Ints:
    """Where each of the wanted stands in the ascending; -1 where it is missing."""
    if not len(ascending):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[at] == wanted, at, -1)


def _asked() -> tuple[list[str], dict[int, int]]:
    """The keys of all flags that any rubric asks, and of each rubric which, as bits."""
    rubrics = list(Rubric.objects.order_by("version"))
    keys = list(dict.fromkeys(question["key"] for rubric in rubrics for question in rubric.flags))
    bit = {key: 1 << at for at, key in enumerate(keys)}
    return keys, {rubric.pk: sum(bit[question["key"]] for question in rubric.flags) for rubric in rubrics}


def columns(query: str, parameters: Mapping[str, Any], count: int) -> list[Ints]:
    """The columns of a query of whole numbers, none of them null.

    Each comes as one value, its numbers one after the other in eight bytes: rows that come one by one cost some
    microseconds of Python each, which is seconds for a million places.
    """
    names = [f"column_{at}" for at in range(count)]
    packed = ", ".join(f"string_agg(int8send({name}), '')" for name in names)
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(f"SELECT {packed} FROM ({query}) numbers ({', '.join(names)})".encode(), parameters, binary=True)
        (answer,) = cursor.fetchall()
    found: list[Ints] = [np.frombuffer(column or b"", dtype=">i8").astype(np.int64) for column in answer]
    assert len({len(column) for column in found}) == 1, "a null has slipped into the query"
    return found
