"""Where a batch's items stand between those of other batches. Called through dispatch.py and fill.py alone.

Two open batches of one line share its labelers in the proportion of their weights: their items stand interleaved, so
the claim still walks one index from one cursor on and knows nothing of weights. Places lie a million apart (the
sequence's increment), so that a batch that comes later finds room between those that are there.
"""

from django.db import connection

from labeling.queue.models import Batch

STEP = 1 << 20  # between two places that are drawn one after the other; the sequence's increment

OTHERS = """
SELECT sum(weight) FROM labeling_batch WHERE id <> %(batch)s AND id IN (
    SELECT DISTINCT w.batch_id FROM labeling_workitem w
    WHERE w.lane = %(lane)s AND w.is_open AND w.priority = %(priority)s)
"""

# The nth of mine comes after ceil(n * others' weight / my weight) of theirs; several that come after the same one share
# the gap before the next. Where theirs end, mine go on at the places they have, at the end of the line.
INTERLEAVE = """
WITH mine AS MATERIALIZED (
    SELECT id, n, ceil(n * %(others)s::numeric / %(weight)s)::bigint AS after
    FROM (SELECT id, row_number() OVER (ORDER BY pos) AS n FROM labeling_workitem
          WHERE batch_id = %(batch)s AND lane = %(lane)s AND is_open AND priority = %(priority)s) numbered
), theirs AS MATERIALIZED (
    SELECT pos, row_number() OVER (ORDER BY pos) AS n, lead(pos) OVER (ORDER BY pos) - pos AS gap
    FROM (SELECT pos FROM labeling_workitem
          WHERE lane = %(lane)s AND is_open AND priority = %(priority)s AND batch_id <> %(batch)s
          ORDER BY pos LIMIT (SELECT max(after) + 1 FROM mine)) first
), places AS (
    SELECT mine.id, theirs.pos + theirs.gap * row_number() OVER gap / (count(*) OVER all_of_gap + 1) AS pos,
           theirs.gap > count(*) OVER all_of_gap AS fits
    FROM mine JOIN theirs ON theirs.n = mine.after AND theirs.gap IS NOT NULL
    WINDOW gap AS (PARTITION BY mine.after ORDER BY mine.n), all_of_gap AS (PARTITION BY mine.after)
), moved AS (
    UPDATE labeling_workitem w SET pos = places.pos FROM places WHERE w.id = places.id AND places.fits
    RETURNING w.pos
)
SELECT min(pos) FROM moved
"""

TO_THE_END = """
WITH mine AS MATERIALIZED (
    SELECT id FROM labeling_workitem
    WHERE batch_id = %(batch)s AND lane = %(lane)s AND is_open AND priority = %(priority)s
    ORDER BY pos FOR UPDATE
), placed AS MATERIALIZED (SELECT id, nextval('labeling_workitem_pos') AS pos FROM mine)
UPDATE labeling_workitem w SET pos = placed.pos FROM placed WHERE w.id = placed.id
"""

CLASSES = """
SELECT DISTINCT priority FROM labeling_workitem WHERE batch_id = %s AND lane = %s AND is_open ORDER BY priority
"""

# A copy stands right behind one of the batch's own items, wherever that one is.
BEHIND = """
SELECT w.priority, w.pos, (SELECT min(o.pos) FROM labeling_workitem o
                           WHERE o.lane = w.lane AND o.is_open AND o.priority = w.priority AND o.pos > w.pos)
FROM labeling_workitem w WHERE w.id = %s
"""


def interleave(batch: Batch, lane: int, priority: int) -> int | None:
    """Put the batch's open items of this class between those of others; the first place that one was moved to."""
    params = {"batch": batch.pk, "lane": lane, "priority": priority, "weight": batch.weight}
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, params)
        (others,) = cursor.fetchone()
        if others is None:
            return None
        cursor.execute(INTERLEAVE, {**params, "others": others})
        (first,) = cursor.fetchone()
    return None if first is None else int(first)


def to_the_end(batch: Batch, lane: int, priority: int) -> None:
    """Give the batch's open items of this class new places at the end, in the order they have."""
    with connection.cursor() as cursor:
        cursor.execute(TO_THE_END, {"batch": batch.pk, "lane": lane, "priority": priority})


def classes(batch: Batch, lane: int) -> list[int]:
    """The priorities that open items of the batch have."""
    with connection.cursor() as cursor:
        cursor.execute(CLASSES, [batch.pk, lane])
        return [row[0] for row in cursor.fetchall()]


def place_behind(item_id: int) -> tuple[int, int] | None:
    """A priority and a free place right behind this item; None where the next one leaves no room."""
    with connection.cursor() as cursor:
        cursor.execute(BEHIND, [item_id])
        priority, pos, following = cursor.fetchone()
    if following is None:
        return priority, pos + STEP // 2
    return (priority, pos + (following - pos) // 2) if following - pos > 1 else None
