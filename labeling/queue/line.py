"""The line itself, in SQL: who is next, taking a place, giving it back. Called by dispatch.py alone.

Why one statement per step: a claim is pick, take, cursor and lease in one round trip and one short lock. The pick
walks the partial index `item_open` from the labeler's cursor on, class by class, and stops at the first item that
meets the rules (rules.py); FOR UPDATE SKIP LOCKED checks `is_open` again on
the locked row, so `need` is never passed. Whatever opens or moves an item gives it a new place at the end of its class:
nothing behind a cursor opens again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from labeling.labelers.models import Labeler
from labeling.queue.models import Assignment, Lane
from labeling.queue.rules import AGAIN, RULES, where

COLUMNS = "id, item_id, labeler_id, lane, state, display_order, leased_at, expires_at, ended_at, skip_reason"

# A lease that this labeler still holds comes first; asking again is a sign of life, so it is renewed.
RESUME = f"""
UPDATE labeling_assignment SET expires_at = statement_timestamp() + %(lease)s
WHERE labeler_id = %(labeler)s AND lane = %(lane)s AND state = 0
RETURNING {COLUMNS}
"""

# The classes are tried in order: LATERAL forces a loop over them and LIMIT 1 ends it at the first item found.
# Each empty class costs one descent of the index.
CLAIM = f"""
WITH pick AS MATERIALIZED (
    SELECT q.id, q.priority, q.pos
    FROM generate_series(0, 9) AS class(priority)
    CROSS JOIN LATERAL (
        SELECT w.id, w.priority, w.pos
        FROM labeling_workitem w
        WHERE w.priority = class.priority
          AND w.pos > coalesce((
              SELECT c.pos FROM labeling_cursor c
              WHERE c.labeler_id = %(labeler)s AND c.lane = %(lane)s AND c.priority = class.priority
                AND NOT %(from_start)s), 0)
          AND {where(RULES)}
        ORDER BY w.pos
        LIMIT 1
        FOR UPDATE OF w SKIP LOCKED
    ) q
    LIMIT 1
), take AS (
    UPDATE labeling_workitem w SET taken = w.taken + 1, is_open = w.taken + 1 < w.need
    FROM pick WHERE w.id = pick.id
), moved AS (
    INSERT INTO labeling_cursor (labeler_id, lane, priority, pos)
    SELECT %(labeler)s, %(lane)s, pick.priority, pick.pos FROM pick
    ON CONFLICT (labeler_id, lane, priority) DO UPDATE SET pos = excluded.pos
), lease AS (
    INSERT INTO labeling_assignment ({COLUMNS})
    SELECT gen_random_uuid(), pick.id, %(labeler)s, %(lane)s, 0,
           ARRAY(SELECT c.completion_id FROM labeling_workitemcompletion c
                 WHERE c.item_id = pick.id ORDER BY random()),
           statement_timestamp(), statement_timestamp() + %(lease)s, NULL, ''
    FROM pick
    RETURNING {COLUMNS}
)
SELECT * FROM lease
"""

MAY_RESCAN = """
UPDATE labeling_cursor SET rescanned_at = statement_timestamp()
WHERE labeler_id = %(labeler)s AND lane = %(lane)s
  AND (rescanned_at IS NULL OR rescanned_at < statement_timestamp() - interval '1 minute')
RETURNING id
"""

# Where labelers are few, an item whose lease ran out would wait forever for somebody who never held it. An item that
# somebody put aside ('not now') comes back to them in the same way.
TAKE_UP_AGAIN = f"""
WITH pick AS MATERIALIZED (
    SELECT a.id, a.item_id
    FROM labeling_assignment a JOIN labeling_workitem w ON w.id = a.item_id
    WHERE a.labeler_id = %(labeler)s AND a.lane = %(lane)s AND a.state = 2
          AND {where(AGAIN)}
    ORDER BY a.ended_at
    LIMIT 1
    FOR UPDATE OF w, a SKIP LOCKED
), take AS (
    UPDATE labeling_workitem w SET taken = w.taken + 1, is_open = w.taken + 1 < w.need
    FROM pick WHERE w.id = pick.item_id
)
UPDATE labeling_assignment SET state = 0, leased_at = statement_timestamp(),
       expires_at = statement_timestamp() + %(lease)s, ended_at = NULL, skip_reason = ''
FROM pick WHERE labeling_assignment.id = pick.id
RETURNING {", ".join("labeling_assignment." + name for name in COLUMNS.split(", "))}
"""

# SKIP LOCKED on both rows: a lease that is just being finished is left alone, and a sweep waits for nobody.
SWEEP = """
WITH gone AS MATERIALIZED (
    SELECT a.id, a.item_id
    FROM labeling_assignment a JOIN labeling_workitem w ON w.id = a.item_id
    WHERE a.state = 0 AND a.expires_at <= statement_timestamp()
    ORDER BY a.expires_at
    LIMIT %(limit)s
    FOR UPDATE OF w, a SKIP LOCKED
), ended AS (
    UPDATE labeling_assignment a SET state = 2, ended_at = statement_timestamp()
    FROM gone WHERE a.id = gone.id
), back AS (
    UPDATE labeling_workitem w
    SET taken = w.taken - g.leases, is_open = w.withdrawn_at IS NULL AND w.held_at IS NULL AND NOT w.is_paused,
        priority = 0, pos = g.pos
    FROM (SELECT item_id, count(*) AS leases, nextval('labeling_workitem_pos') AS pos FROM gone GROUP BY item_id) g
    WHERE w.id = g.item_id
)
SELECT count(*) FROM gone
"""

GIVE_BACK = """
UPDATE labeling_workitem
SET taken = taken - 1, is_open = withdrawn_at IS NULL AND held_at IS NULL AND NOT is_paused,
    pos = nextval('labeling_workitem_pos')
WHERE id = %(item)s
"""

TAKE = "UPDATE labeling_workitem SET taken = taken + 1, is_open = taken + 1 < need WHERE id = %(item)s"

# One more label of an item on which labelers disagree, if somebody is left who could give it: else whoever waits for
# the batch would wait forever. The item's row is locked, so two who submit at once ask for one more at a time.
ASK_ONE_MORE = """
UPDATE labeling_workitem w
SET need = w.need + 1, is_open = w.withdrawn_at IS NULL AND w.held_at IS NULL AND NOT w.is_paused,
    pos = nextval('labeling_workitem_pos')
FROM labeling_batch b
WHERE w.id = %(item)s AND b.id = w.batch_id AND w.need < b.most_labelers AND w.withdrawn_at IS NULL
  AND EXISTS (
      SELECT 1 FROM labeling_labeler l
      WHERE l.cohort = b.cohort AND l.state = 'active' AND NOT w.topics && l.unwanted_topics
        AND l.id <> ALL (w.authors)
        AND NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.labeler_id = l.id AND a.item_id = w.id))
"""

# `late`: the lease was swept, so the place in `taken` must be taken again; the caller has seen that one is free.
# The draft is emptied and its revision counts on: a save that is still on its way is refused (drafts.py).
FINISH = """
WITH done AS (
    UPDATE labeling_assignment SET state = 1, ended_at = statement_timestamp() WHERE id = %(assignment)s
    RETURNING ended_at
), counted AS (
    UPDATE labeling_workitem
    SET done = done + 1, taken = taken + %(late)s, is_open = is_open AND taken + %(late)s < need
    WHERE id = %(item)s
), emptied AS (
    UPDATE labeling_draft SET content = '[]', revision = revision + 1, came_late_at = NULL
    WHERE assignment_id = %(assignment)s
)
SELECT ended_at FROM done
"""

# What a labeler has behind the cursor is done, held or closed, so counting starts there; LIMIT caps the work.
COUNT_OPEN = f"""
SELECT count(*) FROM (
    SELECT 1
    FROM generate_series(0, 9) AS class(priority)
    CROSS JOIN LATERAL (
        SELECT 1
        FROM labeling_workitem w
        WHERE w.priority = class.priority
          AND w.pos > coalesce((
              SELECT c.pos FROM labeling_cursor c
              WHERE c.labeler_id = %(labeler)s AND c.lane = %(lane)s AND c.priority = class.priority), 0)
          AND {where(RULES)}
        LIMIT %(cap)s
    ) q
    UNION ALL
    SELECT 1
    FROM labeling_assignment a JOIN labeling_workitem w ON w.id = a.item_id
    WHERE a.labeler_id = %(labeler)s AND a.lane = %(lane)s AND a.state = 2
          AND {where(AGAIN)}
    LIMIT %(cap)s
) open_for_me
"""

LOWER_CURSORS = """
UPDATE labeling_cursor SET pos = %(before)s WHERE lane = %(lane)s AND priority = %(priority)s AND pos > %(before)s
"""

# In the order of ids, so that two of these do not block each other. No index on prompts: it would cost every claim.
RETOPIC = """
WITH changed AS MATERIALIZED (
    SELECT w.id, p.topics
    FROM labeling_workitem w JOIN labeling_prompt p ON p.id = w.prompt_id
    WHERE p.id = ANY(%(prompts)s) AND w.withdrawn_at IS NULL AND w.done < w.need AND w.topics <> p.topics
    ORDER BY w.id
    FOR UPDATE OF w
)
UPDATE labeling_workitem w SET topics = changed.topics FROM changed WHERE w.id = changed.id
"""
# Whoever opted out of something may have passed by what touches it no more.
FORGET_CURSORS = """
DELETE FROM labeling_cursor c USING labeling_labeler l WHERE l.id = c.labeler_id AND l.unwanted_topics <> '{}'
"""


def lease_length() -> timedelta:
    return timedelta(minutes=settings.LEASE_MINUTES)


def resume(labeler: Labeler, lane: Lane) -> Assignment | None:
    """The lease that this labeler holds in this lane, renewed."""
    return _lease(RESUME, labeler, lane)


def claim(labeler: Labeler, lane: Lane, *, from_start: bool = False) -> Assignment | None:
    """A lease on the next item that this labeler never held. Raises IntegrityError where another tab was faster."""
    return _lease(CLAIM, labeler, lane, from_start=from_start)


def may_rescan(labeler: Labeler, lane: Lane) -> bool:
    """True at most once a minute, and only where there is a cursor to look behind."""
    return _value(MAY_RESCAN, {"labeler": labeler.pk, "lane": lane}) is not None


def take_up_again(labeler: Labeler, lane: Lane) -> Assignment | None:
    """The lease of this labeler's that ran out first and whose item still wants labels, taken up again."""
    return _lease(TAKE_UP_AGAIN, labeler, lane)


def sweep(limit: int) -> int:
    """End up to `limit` leases that ran out; how many it were."""
    return int(_value(SWEEP, {"limit": limit}))


def give_back(item_id: int) -> None:
    """One label less is on its way for this (locked) item; it waits at the end of its class."""
    _execute(GIVE_BACK, {"item": item_id})


def take(item_id: int) -> None:
    """One label more is on its way for this (locked and open) item."""
    _execute(TAKE, {"item": item_id})


def finish(assignment: Assignment, *, late: bool) -> datetime:
    """Count the (locked) lease as done; the time it ended."""
    params = {"assignment": assignment.pk, "item": assignment.item_id, "late": int(late)}
    ended: datetime = _value(FINISH, params)
    return ended


def ask_one_more(item_id: int) -> bool:
    """This (locked) item wants one label more, at the end of its class; False where it gets no more."""
    return _execute(ASK_ONE_MORE, {"item": item_id}) == 1


def count_open(labeler: Labeler, lane: Lane, cap: int) -> int:
    return int(_value(COUNT_OPEN, {**_who(labeler, lane), "cap": cap}))


def new_places(count: int) -> list[int]:
    """The next `count` places in the line, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('labeling_workitem_pos') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def lower_cursors(lane: Lane, priority: int, before: int) -> None:
    """Let nobody in this class stand behind the place `before`."""
    _execute(LOWER_CURSORS, {"lane": lane, "priority": priority, "before": before})


def retopic(prompt_ids: Sequence[UUID]) -> int:
    """Copy the topics of these prompts to those of their items that want labels; how many items changed."""
    changed = _execute(RETOPIC, {"prompts": list(prompt_ids)})
    if changed:
        _execute(FORGET_CURSORS, {})
    return changed


def _who(labeler: Labeler, lane: Lane) -> dict[str, Any]:
    return {"labeler": labeler.pk, "unwanted": labeler.unwanted_topics, "lane": int(lane)}


def _lease(sql: str, labeler: Labeler, lane: Lane, **params: Any) -> Assignment | None:
    params |= {**_who(labeler, lane), "lease": lease_length()}
    return next(iter(Assignment.objects.raw(sql, params)), None)


def _value(sql: str, params: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: Sequence[Any] | None = cursor.fetchone()
    return None if row is None else row[0]


def _execute(sql: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
