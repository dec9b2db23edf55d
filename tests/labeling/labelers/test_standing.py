"""The states of a labeler, their history, and what becomes of what a labeler holds."""

from functools import partial

import pytest

from labeling.demonstrations.submit import submit
from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers import standing
from labeling.labelers.enroll import enroll
from labeling.models import Assignment, Cohort, Kind, Labeler, StateChange, User, WorkItem
from labeling.queue import dispatch, drafts
from tests.labeling.queue.test_races import all_at_once
from tests.people import make_user
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db
State = Labeler.State


def history(labeler: Labeler) -> list[tuple[str, str, str]]:
    rows = StateChange.objects.filter(labeler=labeler).order_by("pk")
    return list(rows.values_list("before", "after", "why"))


def test_a_labeler_begins_with_a_row(admin_user: User) -> None:
    ready = enroll(make_user("new"), cohort=Cohort.TRAINING, why="Accepted")
    candidate = enroll(make_user("newer"), cohort=Cohort.TRAINING, screened=True)
    assert history(ready) == [("invited", "active", "Accepted")]
    assert history(candidate) == [("invited", "screening", "Enrolled")]
    assert ready.changes.get().by == ready.user


def test_every_change_says_who_when_and_why(labeler: Labeler, admin_user: User) -> None:
    standing.pause(labeler, by=admin_user, why="  On holiday. ")
    standing.resume(labeler, by=admin_user)
    standing.leave(labeler, by=admin_user, why="Found other work.")
    standing.resume(labeler, by=admin_user, why="Came back.")
    assert history(labeler)[1:] == [
        ("active", "paused", "On holiday."),
        ("paused", "active", ""),
        ("active", "left", "Found other work."),
        ("left", "active", "Came back."),
    ]
    assert set(labeler.changes.filter(before__in=["active", "paused", "left"]).values_list("by", flat=True)) == {
        admin_user.pk
    }
    labeler.refresh_from_db()
    assert labeler.state == State.ACTIVE


FORBIDDEN = [
    ("invited", "paused"), ("screening", "paused"), ("screening", "invited"), ("active", "invited"),
    ("active", "active"), ("paused", "screening"), ("paused", "paused"), ("left", "paused"), ("left", "invited"),
    ("left", "left"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_state_that_does_not_follow_is_refused(labeler: Labeler, admin_user: User, before: str, after: str) -> None:
    Labeler.objects.update(state=before)
    labeler.refresh_from_db()
    with pytest.raises(Conflict, match="cannot become"):
        standing.change(labeler, State(after), by=admin_user, why="So be it.")
    labeler.refresh_from_db()
    assert labeler.state == before


@pytest.mark.parametrize(
    ("before", "after"),
    [("active", "paused"), ("active", "left"), ("paused", "left"), ("screening", "active"), ("left", "active")],
)
@pytest.mark.parametrize("why", ["", " \n"])
def test_a_reason_is_due(labeler: Labeler, admin_user: User, before: str, after: str, why: str) -> None:
    Labeler.objects.update(state=before)
    labeler.refresh_from_db()
    with pytest.raises(BadInput, match="Please give a reason"):
        standing.change(labeler, State(after), by=admin_user, why=why)
    labeler.refresh_from_db()
    assert (labeler.state, len(history(labeler))) == (before, 1)


def test_a_reason_is_no_book(labeler: Labeler, admin_user: User) -> None:
    with pytest.raises(BadInput, match="1,001"):
        standing.pause(labeler, by=admin_user, why="x" * 1001)
    standing.pause(labeler, by=admin_user, why="x" * 1000)


def test_who_looked_at_an_older_state_changes_nothing(labeler: Labeler, admin_user: User) -> None:
    standing.pause(Labeler.objects.get(pk=labeler.pk), by=admin_user, why="On holiday.")
    with pytest.raises(Conflict, match="paused by now, not active"):
        standing.leave(labeler, by=admin_user, why="Gone.", seen="active")
    assert labeler.state == State.PAUSED


@pytest.mark.parametrize("act", [standing.pause, standing.leave])
def test_whoever_stops_gives_back_what_they_hold(
    labeler: Labeler, second_labeler: Labeler, admin_user: User, act: object
) -> None:
    writing_work(1)
    ranking_work(1)
    leases = [dispatch.claim(labeler, kind) for kind in (Kind.DEMONSTRATE, Kind.RANK)]
    assert None not in leases
    drafts.save(labeler, leases[0].pk, [("text", "Half of a sentence")], 0)  # type: ignore[union-attr]
    act(labeler, by=admin_user, why="So it is.")  # type: ignore[operator]
    states = Assignment.objects.filter(labeler=labeler).values_list("state", flat=True)
    assert list(states) == [Assignment.State.EXPIRED] * 2
    assert list(WorkItem.objects.values_list("taken", "is_open")) == [(0, True)] * 2
    with pytest.raises(NotAllowed):
        dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert dispatch.claim(second_labeler, Kind.DEMONSTRATE) is not None


def test_a_draft_waits_for_who_comes_back(labeler: Labeler, admin_user: User) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease
    drafts.save(labeler, lease.pk, [("text", "Half of a sentence")], 0)
    standing.pause(labeler, by=admin_user, why="On holiday.")
    standing.resume(labeler, by=admin_user)
    again = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert again is not None and again.pk == lease.pk
    kept = drafts.fields_of(again)
    assert kept is not None and kept["text"] == "Half of a sentence"


def test_what_was_done_stays_done(labeler: Labeler, admin_user: User) -> None:
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease
    submit(labeler, lease.pk, "Two.")
    standing.leave(labeler, by=admin_user, why="Gone.")
    item = WorkItem.objects.get()
    assert (item.done, item.taken, item.is_open) == (1, 1, False)


def test_a_failure_at_the_queue_changes_no_state(
    labeler: Labeler, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(labeler: Labeler) -> int:
        raise RuntimeError("the queue does not answer")

    monkeypatch.setattr(dispatch, "put_down", fails)
    with pytest.raises(RuntimeError):
        standing.pause(labeler, by=admin_user, why="On holiday.")
    labeler.refresh_from_db()
    assert (labeler.state, len(history(labeler))) == (State.ACTIVE, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_one_is_told(labeler: Labeler, admin_user: User) -> None:
    for _ in range(20):
        Labeler.objects.update(state=State.ACTIVE)
        StateChange.objects.all().delete()
        seen = [Labeler.objects.get(pk=labeler.pk) for _ in range(2)]
        results = all_at_once(
            [
                partial(standing.pause, seen[0], by=admin_user, why="One says so."),
                partial(standing.leave, seen[1], by=admin_user, why="The other does."),
            ]
        )
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "StateChange"]
        change = StateChange.objects.get()
        assert Labeler.objects.get(pk=labeler.pk).state == change.after


@pytest.mark.django_db(transaction=True)
def test_a_pause_and_a_submit_of_the_same_piece_count_once(labeler: Labeler, admin_user: User) -> None:
    """Whoever comes first: the label is counted once, and nothing stays taken that nobody holds."""
    for number in range(10):
        Labeler.objects.update(state=State.ACTIVE)
        writing_work(1, start=number)
        lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
        assert lease
        one, other = Labeler.objects.get(pk=labeler.pk), Labeler.objects.get(pk=labeler.pk)
        results = all_at_once(
            [
                partial(standing.pause, one, by=admin_user, why="Now."),
                partial(submit, other, lease.pk, "Two."),
            ]
        )
        assert [result for result in results if isinstance(result, Exception)] == []
        item = WorkItem.objects.get(pk=lease.item_id)
        assert (item.done, item.taken, item.is_open) == (1, 1, False)
