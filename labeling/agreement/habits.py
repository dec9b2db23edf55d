"""From the database: where completions stood, how long pieces took, what was passed on; of a batch's own items, as all
other figures are."""

from typing import NamedTuple

import numpy as np
from django.db.models import Count, F, Max, Sum
from numpy.typing import NDArray

from labeling.agreement.labels import Labels
from labeling.agreement.resampling import Floats, Ints
from labeling.agreement.rows import columns
from labeling.queue.models import OWN, ActiveSpan, Assignment, Kind, Lane

SHOWN = """
SELECT r.id, shown.completion, shown.at
FROM labeling_ranking r, unnest(r.display_order) WITH ORDINALITY AS shown (completion, at)
WHERE r.id = ANY(%(rankings)s::bigint[])
"""
WORK = {Lane.of(kind, cohort) for kind in (Kind.RANK,) for cohort in ("training", "held_out")}


class Timed(NamedTuple):
    """Finished rankings with active time in the ledger, each [N]: labeler's id, item's id, seconds, when (1970)."""

    labeler: Ints
    item: Ints
    seconds: Floats
    ended: Ints


class Skip(NamedTuple):
    labeler: int
    reason: str
    topics: tuple[str, ...]
    pieces: int


def positions(labels: Labels) -> NDArray[np.uint8]:
    """[R, K]: where each completion stood on the labeler's page, 1 the first, 0 none."""
    stood = np.zeros(labels.rankings.places.shape, dtype=np.uint8)
    if not stood.size:
        return stood
    ids = labels.about["id"]
    ranking, completion, at = columns(SHOWN, {"rankings": ids.tolist()}, 3)
    by_id = np.argsort(ids)
    row = by_id[np.searchsorted(ids[by_id], ranking)]
    table = labels.completions[labels.rankings.item[row]]
    found = (table == completion[:, None]) & (
        labels.rankings.places[row] > 0
    )  # of identical samples one stands for all
    where = found.any(axis=1)
    stood[row[where], found.argmax(axis=1)[where]] = at[where]
    return stood


def timed() -> Timed:
    """Ranking pieces that were sent in, and the active time on each."""
    done = (
        ActiveSpan.objects.filter(
            assignment__state=Assignment.State.DONE, assignment__lane__in=WORK, assignment__item__control__in=OWN
        )
        .values_list("labeler_id", "assignment__item_id", "assignment__ended_at")
        .annotate(time=Sum(F("ended_at") - F("started_at")))
        .order_by("assignment__ended_at")
    )
    rows = [(labeler, item, time.total_seconds(), ended.timestamp()) for labeler, item, ended, time in done if ended]
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Timed(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3].astype(np.int64))


def skips() -> list[Skip]:
    """What labelers passed on, by reason and topics."""
    passed = (
        Assignment.objects.filter(state=Assignment.State.SKIPPED, lane__in=WORK, item__control__in=OWN)
        .values_list("labeler_id", "skip_reason", "item__topics")
        .annotate(count=Count("pk"))
        .order_by("labeler_id")
    )
    return [Skip(labeler, reason, tuple(topics), count) for labeler, reason, topics, count in passed]


def version() -> str:
    """Changes with the ledger's finished pieces and with every skip."""
    spans = ActiveSpan.objects.aggregate(Count("pk"), Max("ended_at"))
    ended = Assignment.objects.exclude(ended_at=None).aggregate(Count("pk"), Max("ended_at"))
    return " ".join(str(value) for value in (*spans.values(), *ended.values()))
