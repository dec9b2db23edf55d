"""What each reason does to the piece, and undoing it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotAllowed, NotFound
from labeling.models import Assignment, Cohort, Cursor, Draft, Kind, Labeler, WorkItem
from labeling.queue import dispatch, skips
from tests.people import make_labeler
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db

LEASED, DONE, EXPIRED, SKIPPED = 0, 1, 2, 3


def claim(labeler: Labeler) -> Assignment:
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert assignment is not None
    return assignment


def skip(labeler: Labeler, reason: str = "") -> Assignment:
    return dispatch.skip(labeler, claim(labeler).pk, reason)


@pytest.mark.parametrize("reason", ["", "outside-my-knowledge", "uncomfortable", "language", "unclear"])
def test_most_reasons_pass_the_piece_on_for_good(labeler: Labeler, second_labeler: Labeler, reason: str) -> None:
    writing_work(1)
    skipped = skip(labeler, reason)
    assert (skipped.state, skipped.skip_reason) == (SKIPPED, reason)
    Cursor.objects.all().delete()
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    assert claim(second_labeler).item_id == skipped.item_id


def test_a_broken_piece_is_held_at_once(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    skip(labeler, "broken")
    item = WorkItem.objects.get()
    assert (item.is_open, item.taken) == (False, 0)
    assert item.held_at is not None
    assert "broken" in item.held_because
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE) is None
    assert dispatch.counts(second_labeler)[Kind.DEMONSTRATE] == 0


def test_two_who_find_it_unclear_hold_it(labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler) -> None:
    writing_work(1)
    skip(labeler, "unclear")
    assert WorkItem.objects.get().held_at is None
    skip(second_labeler, "unclear")
    assert WorkItem.objects.get().held_at is not None
    assert dispatch.claim(third_labeler, Kind.DEMONSTRATE) is None


def test_one_who_finds_it_unclear_twice_is_one(labeler: Labeler) -> None:
    writing_work(1)
    skipped = skip(labeler, "unclear")
    dispatch.skip(labeler, skipped.pk, "unclear")  # a double click
    item = WorkItem.objects.get()
    assert (item.held_at, item.taken, item.is_open) == (None, 0, True)


def test_not_now_comes_back_when_nothing_else_is_open(labeler: Labeler) -> None:
    writing_work(2)
    aside = skip(labeler, "not-now")
    assert aside.state == EXPIRED
    assert WorkItem.objects.get(pk=aside.item_id).priority == 5  # it does not overtake anybody
    other = claim(labeler)
    assert other.item_id != aside.item_id
    dispatch.finish(labeler, other.pk)
    again = claim(labeler)
    assert (again.pk, again.state, again.skip_reason) == (aside.pk, LEASED, "")


def test_not_now_goes_to_others_meanwhile(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    aside = skip(labeler, "not-now")
    assert claim(second_labeler).item_id == aside.item_id
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None


def test_a_held_piece_stays_held_when_a_lease_on_it_ends(
    labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler
) -> None:
    writing_work(1, need=3)
    working, passing = claim(second_labeler), claim(third_labeler)
    skip(labeler, "broken")
    Assignment.objects.filter(pk=working.pk).update(expires_at=timezone.now())
    assert dispatch.sweep() == 1
    dispatch.skip(third_labeler, passing.pk)
    item = WorkItem.objects.get()
    assert (item.taken, item.is_open) == (0, False)


def test_who_has_a_held_piece_may_finish_it(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    working = claim(second_labeler)
    skip(labeler, "broken")
    dispatch.finish(second_labeler, working.pk)
    item = WorkItem.objects.get()
    assert (item.done, item.taken, item.is_open) == (1, 1, False)


def test_an_unknown_reason_changes_nothing(labeler: Labeler) -> None:
    writing_work(1)
    assignment = claim(labeler)
    for reason in ("bored", "BROKEN", "broken\0", "x" * 10_000, "\ud800"):
        with pytest.raises(BadInput, match="nothing was skipped"):
            dispatch.skip(labeler, assignment.pk, reason)
    assignment.refresh_from_db()
    assert assignment.state == LEASED


def test_every_reason_says_what_it_does() -> None:
    assert [reason.key for reason in skips.REASONS] == [
        "unclear", "outside-my-knowledge", "uncomfortable", "broken", "language", "not-now",
    ]  # fmt: skip
    assert all(reason.label and reason.sentence.endswith(".") for reason in skips.REASONS)


# ── Release and withdraw ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_released_piece_goes_to_those_who_never_had_it(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(2)
    skipped = skip(labeler, "broken")
    other = claim(second_labeler)  # her cursor stands behind both places now
    dispatch.finish(second_labeler, other.pk)
    dispatch.release(skipped.item)
    item = WorkItem.objects.get(pk=skipped.item_id)
    assert (item.is_open, item.held_at, item.held_because) == (True, None, "")
    assert claim(second_labeler).item_id == skipped.item_id
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) != skipped


def test_a_release_of_a_complete_piece_opens_nothing(labeler: Labeler) -> None:
    writing_work(1)
    assignment = claim(labeler)
    dispatch.hold(assignment.item, "Looks odd.")
    dispatch.finish(labeler, assignment.pk)
    dispatch.release(assignment.item)
    assert WorkItem.objects.get().is_open is False


def test_a_release_twice_or_after_withdrawing_is_a_conflict(labeler: Labeler) -> None:
    batch = writing_work(2)
    one, two = batch.items.all()
    dispatch.hold(one, "Looks odd.")
    dispatch.hold(two, "Looks odd.")
    dispatch.release(one)
    dispatch.withdraw(two)
    for item in (one, two):
        with pytest.raises(Conflict, match="not held any more"):
            dispatch.release(item)
    assert WorkItem.objects.get(pk=two.pk).is_open is False


def test_the_first_reason_to_hold_stays() -> None:
    item = writing_work(1).items.get()
    dispatch.hold(item, "First.")
    dispatch.hold(item, "Second.")
    assert WorkItem.objects.get().held_because == "First."


# ── Taking back ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", ["", "unclear", "broken", "not-now"])
def test_a_skip_can_be_undone(labeler: Labeler, reason: str) -> None:
    writing_work(1)
    skipped = skip(labeler, reason)
    Draft.objects.create(assignment=skipped, content='[["text","kept"]]')
    back = dispatch.take_back(labeler, skipped.pk)
    item = WorkItem.objects.get()
    assert (back.pk, back.state, back.ended_at, back.skip_reason) == (skipped.pk, LEASED, None, "")
    assert back.expires_at > timezone.now()
    assert (item.taken, item.is_open, item.held_at) == (1, False, None)
    assert Draft.objects.get().content == '[["text","kept"]]'
    dispatch.finish(labeler, back.pk)
    assert WorkItem.objects.get().done == 1


def test_undoing_twice_is_undoing_once(labeler: Labeler) -> None:
    writing_work(1)
    skipped = skip(labeler)
    assert dispatch.take_back(labeler, skipped.pk).pk == dispatch.take_back(labeler, skipped.pk).pk
    assert WorkItem.objects.get().taken == 1


def test_what_is_held_meanwhile_is_put_aside(labeler: Labeler) -> None:
    writing_work(2)
    skipped = skip(labeler)
    following = claim(labeler)
    dispatch.take_back(labeler, skipped.pk)
    following.refresh_from_db()
    assert (following.state, following.skip_reason) == (EXPIRED, "not-now")
    assert list(WorkItem.objects.order_by("pk").values_list("taken", "is_open")) == [(1, False), (0, True)]
    dispatch.finish(labeler, skipped.pk)
    assert claim(labeler).pk == following.pk


def test_a_lease_in_another_lane_stays(labeler: Labeler) -> None:
    writing_work(1)
    ranking_work(1)
    skipped, ranking = skip(labeler), dispatch.claim(labeler, Kind.RANK)
    assert ranking is not None
    dispatch.take_back(labeler, skipped.pk)
    ranking.refresh_from_db()
    assert ranking.state == LEASED


def test_what_somebody_else_has_taken_cannot_be_taken_back(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(2)
    skipped, held = skip(labeler), claim(labeler)
    claim(second_labeler)
    with pytest.raises(Conflict, match="somebody else"):
        dispatch.take_back(labeler, skipped.pk)
    held.refresh_from_db()
    assert held.state == LEASED  # and what they hold stays theirs


def test_what_a_researcher_holds_or_withdrew_cannot_be_taken_back(labeler: Labeler) -> None:
    writing_work(1)
    skipped = skip(labeler)
    dispatch.hold(skipped.item, "A researcher's own reason.")
    with pytest.raises(Conflict, match="researcher's look"):
        dispatch.take_back(labeler, skipped.pk)
    dispatch.withdraw(skipped.item)
    with pytest.raises(Conflict, match="withdrawn"):
        dispatch.take_back(labeler, skipped.pk)


def test_what_others_find_broken_too_stays_held(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1, need=2)
    one, two = claim(labeler), claim(second_labeler)
    dispatch.skip(labeler, one.pk, "broken")
    dispatch.skip(second_labeler, two.pk, "broken")
    with pytest.raises(Conflict, match="researcher's look"):
        dispatch.take_back(labeler, one.pk)
    assert WorkItem.objects.get().held_at is not None


def test_what_was_sent_in_cannot_be_taken_back(labeler: Labeler) -> None:
    writing_work(1, need=2)
    done = claim(labeler)
    dispatch.finish(labeler, done.pk)
    with pytest.raises(Conflict, match="sent this in"):
        dispatch.take_back(labeler, done.pk)
    assert WorkItem.objects.get().taken == 1


def pause(labeler: Labeler) -> None:
    labeler.state = Labeler.State.PAUSED


def move(labeler: Labeler) -> None:
    labeler.cohort = Cohort.HELD_OUT


@pytest.mark.parametrize(("change", "error"), [(pause, NotAllowed), (move, Conflict)])
def test_who_may_not_work_takes_nothing_back(labeler: Labeler, change: Callable[[Labeler], None], error: Any) -> None:
    writing_work(1)
    skipped = skip(labeler)
    change(labeler)
    with pytest.raises(error):
        dispatch.take_back(labeler, skipped.pk)
    assert WorkItem.objects.get().taken == 0


def test_nobody_takes_back_for_somebody_else(labeler: Labeler) -> None:
    writing_work(1)
    skipped = skip(labeler)
    with pytest.raises(NotFound):
        dispatch.take_back(make_labeler("mallory"), skipped.pk)
