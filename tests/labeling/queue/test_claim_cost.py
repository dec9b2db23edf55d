"""The claim costs the same however many items stand in the line: counted in buffers, not by the clock."""

from typing import Any

import pytest
from django.db import connection

from benchmarks.line import claim_buffers
from labeling.models import Batch, Cohort, Kind, Labeler, WorkItem
from labeling.queue.models import Lane
from tests.work import make_batch, make_prompts

# Really committed, so that rows which other tests rolled back leave no dead entries at the head of the index.
pytestmark = pytest.mark.django_db(transaction=True)

LANE = Lane.RANK_TRAINING
OPEN = """
INSERT INTO labeling_workitem (batch_id, prompt_id, lane, priority, pos, need, taken, done, is_open)
SELECT %(batch)s, %(prompt)s, %(lane)s, 5, nextval('labeling_workitem_pos'), 3, 1, 1, true
FROM generate_series(1, %(items)s)
"""
DONE_BY = """
INSERT INTO labeling_assignment (id, item_id, labeler_id, lane, state, display_order, leased_at, expires_at, ended_at,
                                 skip_reason)
SELECT gen_random_uuid(), id, %(labeler)s, lane, 1, '{}', now(), now(), now(), ''
FROM (SELECT id, lane FROM labeling_workitem WHERE batch_id = %(batch)s ORDER BY pos LIMIT %(items)s) w
"""
CURSOR = """
INSERT INTO labeling_cursor (labeler_id, lane, priority, pos)
SELECT %(labeler)s, %(lane)s, 5, max(w.pos)
FROM labeling_workitem w JOIN labeling_assignment a ON a.item_id = w.id WHERE a.labeler_id = %(labeler)s
"""


def execute(sql: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def crowd(labeler: Labeler) -> Batch:
    """20,000 open items that want three labels; this labeler has done the first 5,000, which stay open."""
    batch = make_batch(Kind.RANK, Cohort.TRAINING)
    (prompt,) = make_prompts(1)
    execute(OPEN, batch=batch.pk, prompt=prompt.pk, lane=LANE, items=20_000)
    execute(DONE_BY, labeler=labeler.pk, batch=batch.pk, items=5_000)
    execute(CURSOR, labeler=labeler.pk, lane=LANE)
    execute("ANALYZE labeling_workitem, labeling_assignment, labeling_cursor")
    return batch


def test_a_claim_touches_few_buffers_with_thousands_of_done_items_in_front(crowd: Batch, labeler: Labeler) -> None:
    assert claim_buffers(labeler) < 100
    WorkItem.objects.update(is_open=False)
    with pytest.raises(LookupError):  # so the claim above did find something
        claim_buffers(labeler)


def test_without_the_cursor_the_same_claim_would_walk_over_all_of_them(crowd: Batch, labeler: Labeler) -> None:
    """So the test above measures something."""
    execute("DELETE FROM labeling_cursor")
    assert claim_buffers(labeler) > 5_000


def test_a_claim_by_somebody_new_is_as_cheap(crowd: Batch, second_labeler: Labeler) -> None:
    assert claim_buffers(second_labeler) < 100


def test_closed_items_cost_nothing(crowd: Batch, labeler: Labeler) -> None:
    closed = crowd.items.order_by("pos").values("pk")[:19_000]
    WorkItem.objects.filter(pk__in=closed).update(taken=3, is_open=False)
    execute("DELETE FROM labeling_cursor")
    execute("VACUUM ANALYZE labeling_workitem")
    assert claim_buffers(labeler) < 100


def test_topics_that_somebody_opted_out_of_cost_the_claim_nothing(crowd: Batch, labeler: Labeler) -> None:
    labeler.unwanted_topics = ["war", "illness"]
    passed_by = crowd.items.order_by("pos").values("pk")[5_000:5_050]
    WorkItem.objects.filter(pk__in=passed_by).update(topics=["illness"])
    assert claim_buffers(labeler) < 130  # the fifty that are passed by lie on a page or two of the index
