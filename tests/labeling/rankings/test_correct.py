"""Correcting a ranking, until it is part of a dataset."""

import threading
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from labeling.errors import BadInput, Conflict, NotFound
from labeling.exports.freeze import freeze_rankings
from labeling.models import Assignment, Kind, Labeler, RankedCompletion, Ranking
from labeling.queue import dispatch
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import correct, submit
from tests.work import ranking_work
from training import storage

pytestmark = pytest.mark.django_db

FIRST, SECOND = {1: 1, 2: 2, 3: 3, 4: 4}, {1: 2, 2: 1, 3: 1, 4: 1}


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    ranking_work(1)
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None
    return lease


def places(ranking: Ranking) -> list[int]:
    rows = dict(RankedCompletion.objects.filter(ranking=ranking).values_list("completion", "place"))
    return [rows[pk] for pk in ranking.display_order]


def test_the_correction_counts_and_what_it_said_before_is_kept(labeler: Labeler, lease: Assignment) -> None:
    ranking = submit(labeler, lease.pk, FIRST, Remarks(ratings={1: 6}, flags={1: ["opinion"]}, rationale="Hm."))
    corrected = correct(labeler, lease.pk, SECOND, Remarks(ratings={2: 5}, rationale="Better."))
    assert corrected.pk == ranking.pk
    assert places(corrected) == [2, 1, 1, 1]
    corrected.refresh_from_db()
    assert corrected.rationale == "Better."
    assert isinstance(corrected.corrected_at, datetime)
    (before,) = corrected.earlier
    assert before["rationale"] == "Hm."
    rows: dict[int, Any] = {row["completion_id"]: row for row in before["places"]}
    assert [rows[pk]["place"] for pk in lease.display_order] == [1, 2, 3, 4]
    assert [rows[pk]["rating"] for pk in lease.display_order] == [6, None, None, None]
    assert rows[lease.display_order[0]]["flags"] == ["opinion"]
    assert parse_datetime(before["until"]) is not None


def test_two_corrections_keep_two_earlier_versions_and_one_count(labeler: Labeler, lease: Assignment) -> None:
    submit(labeler, lease.pk, FIRST)
    correct(labeler, lease.pk, SECOND)
    ranking = correct(labeler, lease.pk, FIRST)
    assert (len(ranking.earlier), places(ranking)) == (2, [1, 2, 3, 4])
    assert (Ranking.objects.count(), RankedCompletion.objects.count()) == (1, 4)
    lease.item.refresh_from_db()
    assert lease.item.done == 1


def test_a_bad_correction_changes_nothing(labeler: Labeler, lease: Assignment) -> None:
    ranking = submit(labeler, lease.pk, FIRST)
    for bad in ({1: 1}, {**FIRST, 5: 1}):
        with pytest.raises(BadInput):
            correct(labeler, lease.pk, bad)
    with pytest.raises(BadInput):
        correct(labeler, lease.pk, SECOND, Remarks(flags={1: ["nonsense"]}))
    ranking.refresh_from_db()
    assert (places(ranking), ranking.earlier) == ([1, 2, 3, 4], [])


def test_what_is_not_there_cannot_be_corrected(labeler: Labeler, second_labeler: Labeler, lease: Assignment) -> None:
    with pytest.raises(NotFound):  # not sent in yet
        correct(labeler, lease.pk, FIRST)
    submit(labeler, lease.pk, FIRST)
    for who, what in ((second_labeler, lease.pk), (labeler, uuid4())):
        with pytest.raises(NotFound):
            correct(who, what, SECOND)


def test_a_frozen_ranking_stays_as_it_is(labeler: Labeler, lease: Assignment) -> None:
    ranking = submit(labeler, lease.pk, FIRST)
    freeze_rankings(Ranking.objects.all())
    with pytest.raises(Conflict, match="became part of a dataset on"):
        correct(labeler, lease.pk, SECOND)
    assert places(ranking) == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_a_correction_waits_for_a_freeze_and_is_told(labeler: Labeler, lease: Assignment) -> None:
    """The dataset holds what the row says: nothing slips in between reading and stamping."""
    ranking = submit(labeler, lease.pk, FIRST)
    refusals: list[Conflict] = []

    def correct_meanwhile() -> None:
        try:
            correct(labeler, lease.pk, SECOND)
        except Conflict as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    with transaction.atomic():
        dataset = freeze_rankings(Ranking.objects.all())
        other = threading.Thread(target=correct_meanwhile)
        other.start()
        other.join(0.5)
        assert other.is_alive()  # it waits for the lock
    other.join()
    assert len(refusals) == 1
    assert places(ranking) == [1, 2, 3, 4]
    assert '"ranks":' in storage.absolute(dataset.path).read_text()
