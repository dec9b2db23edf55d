"""What the queue promises each labeler."""

import pytest

from labeling.errors import Conflict
from labeling.models import Assignment, Kind, Labeler, WorkItem
from labeling.queue import dispatch
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db


def test_a_claim_leases_the_first_item(labeler: Labeler) -> None:
    batch = ranking_work(2)
    assignment = dispatch.claim(labeler, Kind.RANK)
    first = batch.items.order_by("pos").first()
    assert assignment is not None
    assert (assignment.item, assignment.state, assignment.labeler) == (first, Assignment.State.LEASED, labeler)
    first.refresh_from_db()
    assert (first.taken, first.is_open) == (1, False)
    assert sorted(assignment.display_order) == sorted(first.completions.values_list("pk", flat=True))


def test_a_held_lease_is_resumed(labeler: Labeler) -> None:
    ranking_work(2)
    first = dispatch.claim(labeler, Kind.RANK)
    assert dispatch.claim(labeler, Kind.RANK) == first
    assert Assignment.objects.count() == 1


def test_nothing_open_is_none(labeler: Labeler) -> None:
    assert dispatch.claim(labeler, Kind.RANK) is None


def test_finish(labeler: Labeler) -> None:
    writing_work(1)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.finish(labeler, assignment.pk)
    item = WorkItem.objects.get()
    assert (item.taken, item.done, item.is_open) == (1, 1, False)
    with pytest.raises(Conflict, match="before"):
        dispatch.finish(labeler, assignment.pk)
    assert dispatch.counts(labeler) == {"demonstrate": 0, "rank": 0}
