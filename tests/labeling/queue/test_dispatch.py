"""What the queue promises, one rule after the other. Races are in test_races.py."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.errors import Conflict, NotAllowed, NotFound
from labeling.models import Assignment, Batch, Cohort, Cursor, Kind, Labeler, Purpose, WorkItem
from labeling.queue import dispatch
from tests.work import make_batch, make_prompts, ranking_work, writing_work

pytestmark = pytest.mark.django_db


def run_out(assignment: Assignment) -> None:
    """The lease's time is over; nobody has swept yet."""
    Assignment.objects.filter(pk=assignment.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def the_item(assignment: Assignment) -> WorkItem:
    return WorkItem.objects.get(pk=assignment.item_id)


# ── Claiming ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_leases_the_first_item(labeler: Labeler) -> None:
    batch = ranking_work(2)
    first = batch.items.order_by("pos")[0]
    assignment = dispatch.claim(labeler, Kind.RANK)
    assert (assignment.item, assignment.state, assignment.labeler) == (first, Assignment.State.LEASED, labeler)
    assert (the_item(assignment).taken, the_item(assignment).is_open) == (1, False)


def test_the_display_order_is_one_of_the_completions_and_not_always_the_same(labeler: Labeler) -> None:
    batch = ranking_work(20)
    orders = set()
    for _ in range(20):
        assignment = dispatch.claim(labeler, Kind.RANK)
        ids = sorted(assignment.item.completions.values_list("pk", flat=True))
        assert sorted(assignment.display_order) == ids
        orders.add(tuple(ids.index(pk) for pk in assignment.display_order))
        dispatch.finish(labeler, assignment.pk)
    assert len(orders) > 5  # 20 draws of 24 orders; 5 or fewer has a chance below 1e-11
    assert batch.items.filter(is_open=True).count() == 0


def test_a_held_lease_is_resumed_and_renewed(labeler: Labeler) -> None:
    ranking_work(2)
    first = dispatch.claim(labeler, Kind.RANK)
    Assignment.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    again = dispatch.claim(labeler, Kind.RANK)
    assert again == first
    assert again.display_order == first.display_order
    assert again.expires_at > timezone.now() + timedelta(minutes=20)
    assert Assignment.objects.count() == 1


def test_a_lease_on_one_kind_of_work_leaves_the_other_free(labeler: Labeler) -> None:
    writing_work()
    ranking_work()
    assert dispatch.claim(labeler, Kind.DEMONSTRATE).item.batch.kind == Kind.DEMONSTRATE
    assert dispatch.claim(labeler, Kind.RANK).item.batch.kind == Kind.RANK


def test_nothing_open_is_none(labeler: Labeler) -> None:
    assert dispatch.claim(labeler, Kind.RANK) is None


def test_an_item_goes_to_as_many_labelers_as_it_needs(
    labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler
) -> None:
    writing_work(1, need=2)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is not None
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE) is not None
    assert dispatch.claim(third_labeler, Kind.DEMONSTRATE) is None


def test_one_labeler_never_gets_an_item_twice(labeler: Labeler) -> None:
    writing_work(1, need=3)
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    Cursor.objects.all().delete()  # not even where the cursor is lost
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None


def test_cohorts_have_lines_of_their_own(labeler: Labeler, held_out_labeler: Labeler) -> None:
    writing_work(1)
    writing_work(1, cohort=Cohort.HELD_OUT, start=10)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE).item.batch.cohort == Cohort.TRAINING
    assert dispatch.claim(held_out_labeler, Kind.DEMONSTRATE).item.batch.cohort == Cohort.HELD_OUT


def test_priority_comes_before_age(labeler: Labeler) -> None:
    batch = make_batch(Kind.DEMONSTRATE)
    late, urgent = make_prompts(2)
    dispatch.add_demonstration_items(batch, [late], priority=9)
    dispatch.add_demonstration_items(batch, [urgent], priority=0)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE).item.prompt == urgent


@pytest.mark.parametrize("state", ["paused", "left", "invited", "screening"])
def test_who_is_not_active_is_told_why(labeler: Labeler, state: str) -> None:
    writing_work()
    labeler.state = state
    assert not dispatch.may_get(labeler, Kind.DEMONSTRATE)
    assert dispatch.counts(labeler) == dict.fromkeys(Kind.values, 0)
    with pytest.raises(NotAllowed, match=r"^You|^Your"):
        dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert Assignment.objects.count() == 0


# ── The cursor ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_cursor_missed_is_found_by_looking_from_the_start_once_a_minute(labeler: Labeler) -> None:
    writing_work(2)
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    Cursor.objects.update(pos=10**12)  # as after a claim that stepped over a locked row
    found = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert found is not None
    dispatch.finish(labeler, found.pk)
    writing_work(1, start=5)
    Cursor.objects.update(pos=10**12)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None  # looked less than a minute ago
    Cursor.objects.update(rescanned_at=timezone.now() - timedelta(seconds=61))
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is not None


def test_an_import_that_commits_late_lowers_cursors(labeler: Labeler) -> None:
    writing_work(1)
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    Cursor.objects.update(pos=10**12, rescanned_at=timezone.now())
    writing_work(1, start=5)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is not None


# ── Renewing, skipping, running out ─────────────────────────────────────────────────────────────────────────────────


def test_renew_lengthens_the_lease(labeler: Labeler) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    Assignment.objects.update(expires_at=timezone.now() + timedelta(seconds=5))
    dispatch.renew(labeler, assignment.pk)
    assert dispatch.sweep() == 0
    assignment.refresh_from_db()
    assert assignment.expires_at > timezone.now() + timedelta(minutes=20)


def test_a_skipped_item_goes_to_somebody_else_and_never_back(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.skip(labeler, assignment.pk, "unclear")
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE).item_id == assignment.item_id
    assignment.refresh_from_db()
    assert (assignment.state, assignment.skip_reason) == (Assignment.State.SKIPPED, "unclear")
    with pytest.raises(Conflict, match="skipped"):
        dispatch.finish(labeler, assignment.pk)


def test_a_skipped_item_waits_behind_the_others(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(2)
    skipped = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.skip(labeler, skipped.pk)
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE).item_id != skipped.item_id


def test_a_sweep_gives_back_what_ran_out_first_of_all(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(3)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert dispatch.sweep() == 0
    run_out(assignment)
    assert dispatch.sweep() == 1
    assert (the_item(assignment).taken, the_item(assignment).is_open) == (0, True)
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE).item_id == assignment.item_id


def test_a_sweep_takes_at_most_its_limit(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    run_out(dispatch.claim(labeler, Kind.DEMONSTRATE))
    run_out(dispatch.claim(second_labeler, Kind.DEMONSTRATE))
    assert [dispatch.sweep(limit=1), dispatch.sweep(limit=1), dispatch.sweep(limit=1)] == [1, 1, 0]
    assert WorkItem.objects.get().taken == 0


def test_two_leases_on_one_item_run_out_together(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    run_out(dispatch.claim(labeler, Kind.DEMONSTRATE))
    run_out(dispatch.claim(second_labeler, Kind.DEMONSTRATE))
    assert dispatch.sweep() == 2
    assert (WorkItem.objects.get().taken, WorkItem.objects.get().is_open) == (0, True)


def test_a_lease_that_ran_out_is_taken_up_again_where_nothing_else_is_open(labeler: Labeler) -> None:
    writing_work(2)
    first = dispatch.claim(labeler, Kind.DEMONSTRATE)
    run_out(first)
    dispatch.sweep()
    second = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert second.item_id != first.item_id
    dispatch.finish(labeler, second.pk)
    assert dispatch.counts(labeler)["demonstrate"] == 1
    again = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert again.pk == first.pk
    assert (again.state, the_item(again).taken) == (Assignment.State.LEASED, 1)


# ── Finishing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_finish_counts_once(labeler: Labeler) -> None:
    writing_work(1, need=2)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    done = dispatch.finish(labeler, assignment.pk)
    assert (done.state, the_item(done).taken, the_item(done).done) == (Assignment.State.DONE, 1, 1)
    with pytest.raises(Conflict, match="before"):
        dispatch.finish(labeler, assignment.pk)
    assert (the_item(done).taken, the_item(done).done, the_item(done).is_open) == (1, 1, True)


def test_late_work_counts_while_nobody_has_taken_over(labeler: Labeler) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    run_out(assignment)
    dispatch.sweep()
    dispatch.finish(labeler, assignment.pk)
    item = the_item(assignment)
    assert (item.taken, item.done, item.is_open) == (1, 1, False)


def test_late_work_is_refused_once_somebody_has_taken_over(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    run_out(assignment)
    dispatch.sweep()
    dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    with pytest.raises(Conflict, match="ran out"):
        dispatch.finish(labeler, assignment.pk)
    with pytest.raises(Conflict, match="ran out"):
        dispatch.renew(labeler, assignment.pk)


@pytest.mark.parametrize("door", [dispatch.finish, dispatch.renew, dispatch.skip])
def test_somebody_elses_and_unknown_look_the_same(labeler: Labeler, second_labeler: Labeler, door: object) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    with pytest.raises(NotFound) as foreign:
        door(second_labeler, assignment.pk)
    with pytest.raises(NotFound) as unknown:
        door(second_labeler, uuid4())
    assert foreign.value.sentence == unknown.value.sentence
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.LEASED


def test_a_lease_cannot_be_finished_as_another_kind(labeler: Labeler) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    with pytest.raises(NotFound):
        dispatch.finish(labeler, assignment.pk, Kind.RANK)


def test_a_labeler_who_changed_cohort_cannot_finish_old_work(labeler: Labeler) -> None:
    writing_work()
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    labeler.cohort = Cohort.HELD_OUT
    with pytest.raises(Conflict, match="another group"):
        dispatch.finish(labeler, assignment.pk)


# ── Withdrawing, counting, progress ─────────────────────────────────────────────────────────────────────────────────


def test_a_withdrawn_item_is_nobodys(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.withdraw(assignment.item)
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE) is None
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    with pytest.raises(Conflict, match="withdrawn"):
        dispatch.finish(labeler, assignment.pk)
    assert the_item(assignment).taken == 0


def test_withdrawing_keeps_what_was_done(labeler: Labeler) -> None:
    batch = writing_work(1, need=2)
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    dispatch.withdraw(WorkItem.objects.get())
    progress = Batch.objects.with_progress().get(pk=batch.pk)
    assert (progress.done, progress.wanted) == (1, 1)


def test_counts_are_what_a_labeler_can_still_get(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(3, need=2)
    assert dispatch.counts(labeler) == {"demonstrate": 3, "rank": 0, "propose": 0}
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    assert dispatch.counts(labeler) == {"demonstrate": 2, "rank": 0, "propose": 0}
    assert dispatch.counts(second_labeler) == {"demonstrate": 3, "rank": 0, "propose": 0}


def test_counts_stop_at_the_cap(labeler: Labeler) -> None:
    writing_work(dispatch.COUNT_CAP + 5)
    assert dispatch.counts(labeler)["demonstrate"] == dispatch.COUNT_CAP


def test_progress_of_a_batch(labeler: Labeler) -> None:
    batch = writing_work(3, need=2)
    dispatch.finish(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk)
    dispatch.claim(labeler, Kind.DEMONSTRATE)
    progress = Batch.objects.with_progress().get(pk=batch.pk)
    assert (progress.done, progress.wanted) == (1, 6)
    empty = make_batch(Kind.RANK, Cohort.HELD_OUT, Purpose.EVALUATION)
    progress = Batch.objects.with_progress().get(pk=empty.pk)
    assert (progress.done, progress.wanted) == (0, 0)


@pytest.mark.parametrize("items", [1, 2])
def test_a_lease_of_another_tab_is_found_even_where_none_was_expected(labeler: Labeler, items: int) -> None:
    writing_work(items)
    held = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert dispatch.claim(labeler, Kind.DEMONSTRATE, just_ended=True) == held
