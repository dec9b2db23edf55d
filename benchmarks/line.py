"""A long line for the queue's benchmark and for the test of its cost, and what a claim reads from it."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from labeling.guidelines.acknowledge import acknowledge_all
from labeling.guidelines.publish import current
from labeling.labelers.enroll import enroll
from labeling.models import Batch, Cohort, Completion, Kind, Labeler, Prompt, Purpose, Split, User
from labeling.queue import dispatch, line
from labeling.queue.models import Lane
from training.models import Checkpoint, Run

PROMPTS = 2000  # items share them: what a claim costs does not depend on the texts
K = 4
NEED = 3
PAST_LABELERS = 200  # who have done the closed items, a third as many as are open
LANE = Lane.RANK_TRAINING
TEXT = "Sea water is salty because rivers carry minerals from rocks to the sea, and the sun leaves them there. "

ITEMS = """
INSERT INTO labeling_workitem (batch_id, prompt_id, lane, priority, pos, need, taken, done, is_open)
SELECT %(batch)s, (%(prompts)s::uuid[])[1 + n %% %(count)s], %(lane)s, 5, nextval('labeling_workitem_pos'),
       %(need)s, CASE WHEN %(open)s THEN 0 ELSE %(need)s END, CASE WHEN %(open)s THEN 0 ELSE %(need)s END, %(open)s
FROM generate_series(1, %(items)s) n
"""
CANDIDATES = """
INSERT INTO labeling_workitemcompletion (item_id, completion_id)
SELECT w.id, c.id FROM labeling_workitem w JOIN labeling_completion c USING (prompt_id)
"""
PAST_WORK = """
INSERT INTO labeling_assignment (id, item_id, labeler_id, lane, state, display_order, leased_at, expires_at, ended_at,
                                 skip_reason)
SELECT gen_random_uuid(), w.id, (%(labelers)s::bigint[])[1 + (w.id * %(need)s + n) %% %(count)s], w.lane, 1,
       ARRAY(SELECT c.completion_id FROM labeling_workitemcompletion c WHERE c.item_id = w.id),
       now() - interval '1 day', now(), now(), ''
FROM labeling_workitem w CROSS JOIN generate_series(1, %(need)s) n
WHERE NOT w.is_open
"""


def labelers(name: str, count: int) -> list[Labeler]:
    """So many new active labelers."""
    return [
        acknowledge_all(enroll(User.objects.create(email=f"{name}-{number}@benchmark.example"), cohort=Cohort.TRAINING))
        for number in range(count)
    ]


def refill(items: int) -> None:
    """Empties the queue and fills it: `items` open ones for K = 4 and three labels each, and a third as many done."""
    prompts, batch = _texts(), _batch()
    with transaction.atomic():
        _execute("SET LOCAL session_replication_role = replica")  # no foreign key checks: the rows are right
        _execute("TRUNCATE labeling_workitem CASCADE")
        _execute("TRUNCATE labeling_cursor")
        common = {"batch": batch.pk, "prompts": prompts, "count": len(prompts), "lane": LANE, "need": NEED}
        _execute(ITEMS, **common, items=items, open=True)
        _execute(ITEMS, **common, items=items // 3, open=False)
        _execute(CANDIDATES)
        past = list(Labeler.objects.filter(user__email__startswith="past-").values_list("pk", flat=True))
        past = past or [labeler.pk for labeler in labelers("past", PAST_LABELERS)]
        _execute(PAST_WORK, labelers=past, count=len(past), need=NEED)
    _execute("VACUUM (ANALYZE)")


def put_in_front(k: int, items: int) -> None:
    """So many items for K = `k` before all others, each with a prompt of its own."""
    run, policy = Run.objects.get(name="benchmark"), Checkpoint.objects.get(name="benchmark")
    made = Prompt.objects.count()
    prompts = Prompt.objects.bulk_create(
        Prompt(text=f"Question {n}?", digest=f"{n:064x}", split=Split.TRAIN, source=f"benchmark, K = {k}")
        for n in range(made, made + items)
    )
    groups = [
        (
            prompt,
            Completion.objects.bulk_create(
                Completion(
                    prompt=prompt,
                    run=run,
                    checkpoint=policy,
                    sample=n,
                    finished=True,
                    text=f"{n}. {4 * TEXT}{prompt.pk}.",
                )
                for n in range(k)
            ),
        )
        for prompt in prompts
    ]
    dispatch.add_ranking_items(_batch(), groups, priority=0)


def claim_buffers(labeler: Labeler) -> int:
    """Pages of 8 KB that this labeler's next claim touches; the claim itself is rolled back.

    Raises LookupError where nothing is open for them.
    """
    params: dict[str, Any] = {
        "labeler": labeler.pk,
        "unwanted": labeler.unwanted_topics,
        "lane": int(LANE),
        "lease": line.lease_length(),
        "from_start": False,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM labeling_assignment WHERE labeler_id = %s AND state = 0", [labeler.pk])
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {line.CLAIM}", params)
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True)
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    if not top["Actual Rows"]:
        raise LookupError("Nothing is open for this labeler, so there is no claim to measure.")
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _texts() -> Sequence[Any]:
    """Ids of the prompts, made on the first call: each with K completions of about 80 words."""
    known = list(Prompt.objects.filter(source="benchmark").values_list("pk", flat=True))
    if known:
        return known
    run = Run.objects.create(recipe="sample", name="benchmark", spec={}, seed=1, state=Run.State.DONE)
    policy = Checkpoint.objects.create(name="benchmark", kind=Checkpoint.Kind.POLICY, path="benchmark")
    prompts = Prompt.objects.bulk_create(
        Prompt(text=f"Question {n}?", digest=f"{n:064x}", split=Split.TRAIN, source="benchmark") for n in range(PROMPTS)
    )
    Completion.objects.bulk_create(
        Completion(
            prompt=prompt,
            run=run,
            checkpoint=policy,
            sample=sample,
            finished=True,
            text=f"{sample}. {4 * TEXT}{number}.",
        )
        for number, prompt in enumerate(prompts)
        for sample in range(K)
    )
    return [prompt.pk for prompt in prompts]


def _batch() -> Batch:
    known = Batch.objects.filter(name="benchmark").first()
    return known or dispatch.open_batch(
        name="benchmark",
        kind=Kind.RANK,
        purpose=Purpose.TRAINING,
        cohort=Cohort.TRAINING,
        guideline=current(Purpose.TRAINING),
    )


def _execute(sql: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
