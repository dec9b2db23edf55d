"""A batch that is paused gives nothing out, takes what is finished, and comes back as it was."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from labeling.demonstrations.submit import submit
from labeling.errors import Conflict
from labeling.models import Assignment, Batch, Kind, Labeler, WorkItem
from labeling.queue import dispatch, skips
from labeling.rounds import people
from tests.labeling.queue.test_races import all_at_once, in_thread
from tests.labeling.queue.test_weights import served
from tests.people import make_labeler
from tests.work import writing_work

pytestmark = pytest.mark.django_db


def claim(labeler: Labeler) -> Assignment | None:
    return dispatch.claim(labeler, Kind.DEMONSTRATE)


def run_out(lease: Assignment) -> None:
    Assignment.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    dispatch.sweep()


def open_items(batch: Batch) -> int:
    return batch.items.filter(is_open=True).count()


def test_nobody_is_given_what_is_paused(labeler: Labeler, second_labeler: Labeler) -> None:
    paused, other = writing_work(3), writing_work(1, start=10)
    dispatch.pause_batches([paused])
    lease = claim(labeler)
    assert lease is not None
    assert lease.item.batch == other
    assert claim(second_labeler) is None
    assert dispatch.counts(second_labeler)[Kind.DEMONSTRATE] == 0


def test_who_holds_a_piece_may_finish_it(labeler: Labeler) -> None:
    batch = writing_work(2)
    lease = claim(labeler)
    assert lease is not None
    dispatch.pause_batches([batch])
    assert claim(labeler) == lease  # led back to it
    assert submit(labeler, lease.pk, "An answer.").text == "An answer."
    assert claim(labeler) is None


def test_work_that_comes_late_is_taken(labeler: Labeler) -> None:
    batch = writing_work(1)
    lease = claim(labeler)
    assert lease is not None
    dispatch.pause_batches([batch])
    run_out(lease)
    assert open_items(batch) == 0
    submit(labeler, lease.pk, "Late.")
    assert people.is_done(batch)


def test_what_is_skipped_meanwhile_waits_too(labeler: Labeler) -> None:
    batch = writing_work(1)
    lease = claim(labeler)
    assert lease is not None
    dispatch.pause_batches([batch])
    dispatch.skip(labeler, lease.pk, skips.NOT_NOW)
    assert claim(labeler) is None
    with pytest.raises(Conflict, match="paused for now"):
        dispatch.take_back(labeler, lease.pk)
    dispatch.resume_batches([batch])
    assert claim(labeler) == lease


def test_a_held_piece_that_is_released_meanwhile_waits_too(labeler: Labeler) -> None:
    batch = writing_work(1)
    item = batch.items.get()
    dispatch.hold(item, "A look, please.")
    dispatch.pause_batches([batch])
    dispatch.release(item)
    assert claim(labeler) is None
    dispatch.resume_batches([batch])
    assert claim(labeler) is not None


def test_what_comes_back_is_what_was_open(labeler: Labeler) -> None:
    """Of six: one done, one leased, one held, one withdrawn; two are open."""
    batch = writing_work(6)
    first = claim(labeler)
    assert first is not None
    submit(labeler, first.pk, "An answer.")
    claim(labeler)
    *_, held, withdrawn = batch.items.filter(is_open=True).order_by("pos")
    dispatch.hold(held, "A look, please.")
    dispatch.withdraw(withdrawn)
    dispatch.pause_batches([batch])
    dispatch.resume_batches([batch])
    assert open_items(batch) == 2
    assert not batch.items.filter(is_paused=True).exists()


def test_who_has_gone_on_meanwhile_is_not_past_what_comes_back(labeler: Labeler) -> None:
    paused, other = writing_work(2), writing_work(2, start=10)
    dispatch.pause_batches([paused])
    assert served(labeler, [paused, other], 2) == "BB"
    dispatch.resume_batches([paused])
    assert served(labeler, [paused, other], 2) == "AA"


def test_what_comes_back_shares_by_weight(labeler: Labeler) -> None:
    paused, other = writing_work(9), writing_work(9, start=10)
    Batch.objects.filter(pk=paused.pk).update(weight=2)
    dispatch.pause_batches([paused])
    dispatch.resume_batches([paused])
    assert served(labeler, [paused, other], 9) == "BAABAABAA"


def test_an_ended_batch_wants_no_more_than_what_is_on_its_way(labeler: Labeler, second_labeler: Labeler) -> None:
    batch = writing_work(4, need=2)
    done = claim(labeler)
    assert done is not None
    submit(labeler, done.pk, "An answer.")
    lease = claim(second_labeler)
    assert lease is not None
    assert lease.item_id == done.item_id
    begun = claim(labeler)
    assert begun is not None
    dispatch.end_batches([batch])
    assert batch.items.filter(withdrawn_at__isnull=False).count() == 2
    submit(second_labeler, lease.pk, "Mine.")
    run_out(begun)
    assert open_items(batch) == 0
    submit(labeler, begun.pk, "Late, and still taken.")
    assert people.is_done(batch)


@pytest.mark.django_db(transaction=True)
def test_nothing_slips_out_while_labelers_claim_skip_and_finish() -> None:
    batch = writing_work(60, need=2)
    labelers = [make_labeler(f"l{number}") for number in range(6)]

    def work(labeler: Labeler, seed: int) -> None:
        dice = random.Random(seed)
        while lease := claim(labeler):
            if dice.random() < 0.5:
                dispatch.skip(labeler, lease.pk, skips.NOT_NOW)
            else:
                with transaction.atomic():
                    dispatch.finish(labeler, lease.pk)
            if dice.random() < 0.05:
                dispatch.sweep()

    def pause() -> None:
        dispatch.pause_batches([batch])

    works = [lambda labeler=labeler, seed=seed: work(labeler, seed) for seed, labeler in enumerate(labelers)]
    gave = all_at_once([*works, pause])
    assert gave == [None] * 7
    assert open_items(batch) == 0
    assert WorkItem.objects.filter(batch=batch, is_paused=True).count() == 60
    left = 120 - sum(batch.items.values_list("done", flat=True))
    dispatch.resume_batches([batch])
    assert sum(item.need - item.taken for item in batch.items.filter(is_open=True)) == left


@pytest.mark.django_db(transaction=True)
def test_taking_back_waits_behind_a_pause_and_holds_nothing_that_it_needs(labeler: Labeler) -> None:
    """A pause locks the items in their order; who takes a later one back puts an earlier one aside for it."""
    writing_work(2)
    first = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.skip(labeler, first.pk)
    second = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.skip(labeler, second.pk)
    dispatch.take_back(labeler, first.pk)
    assert first.item_id < second.item_id
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            WorkItem.objects.select_for_update(no_key=True).get(pk=first.item_id)
            taken_back = pool.submit(in_thread, lambda: dispatch.take_back(labeler, second.pk))
            _wait_for_a_lock()
            WorkItem.objects.select_for_update(no_key=True, nowait=True).get(pk=second.item_id)
        assert taken_back.result(10).item_id == second.item_id
    first.refresh_from_db()
    assert first.state == Assignment.State.EXPIRED


def _wait_for_a_lock() -> None:
    """Until another connection waits for ours."""
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")
