"""A round is paused, resumed and stopped at any time, by whoever comes first, and nothing is lost."""

from collections.abc import Callable

import pytest

from labeling.demonstrations.submit import submit
from labeling.errors import Conflict
from labeling.models import Batch, Demonstration, Kind, Labeler, Round, User, WorkItem
from labeling.queue import dispatch
from labeling.rounds import advance, control, take_up
from labeling.rounds.opening import open_round
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.rounds.conftest import make_round
from tests.labeling.rounds.test_advance import end_run, stage, states, write_all
from tests.people import make_user
from training.models import Run


def state(round_: Round) -> str:
    return Round.objects.get(pk=round_.pk).state


def run_of(round_: Round, name: str) -> Run:
    run = stage(round_, name).run
    assert run is not None
    return run


def set_run(round_: Round, name: str, state: Run.State, **fields: str) -> None:
    """As the trainer leaves the row."""
    Run.objects.filter(pk=run_of(round_, name).pk).update(state=state, **fields)


def told(round_: Round) -> list[tuple[str, str]]:
    """What happened, oldest first."""
    return [(event.what, event.stage) for event in round_.events.order_by("pk")]


def test_a_paused_round_gives_no_work_and_starts_nothing(round_: Round, researcher: User, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    control.pause(round_.pk, researcher)
    assert state(round_) == "paused"
    assert run_of(round_, "pretrain").state == Run.State.STOPPED
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    end_run(round_, "pretrain")
    advance.advance_all()
    assert states(round_) == {"pretrain": "running", "demonstrate": "running"}


def test_what_labelers_hold_is_sent_in_during_the_pause_and_counts(
    round_: Round, researcher: User, labeler: Labeler
) -> None:
    advance.advance(round_.pk)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    control.pause(round_.pk, researcher)
    submit(labeler, lease.pk, "Begun before, sent in meanwhile.")
    control.resume(round_.pk, researcher)
    write_all(labeler)
    advance.advance(round_.pk)
    assert states(round_)["demonstrate"] == "done"
    assert Demonstration.objects.count() == 4


def test_a_resumed_round_takes_its_runs_up_again(round_: Round, researcher: User, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    control.pause(round_.pk, researcher)
    control.resume(round_.pk, researcher)
    advance.advance(round_.pk)
    assert state(round_) == "running"
    assert run_of(round_, "pretrain").state == Run.State.QUEUED
    assert Run.objects.count() == 1
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is not None


def test_a_run_that_is_still_saving_when_the_round_is_resumed_is_taken_up_once_it_has(
    round_: Round, researcher: User
) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.RUNNING)
    control.pause(round_.pk, researcher)
    control.resume(round_.pk, researcher)
    advance.advance(round_.pk)
    assert run_of(round_, "pretrain").state == Run.State.RUNNING
    set_run(round_, "pretrain", Run.State.STOPPED)
    advance.advance(round_.pk)
    assert run_of(round_, "pretrain").state == Run.State.QUEUED
    # The pause is over: who stops it now means it.
    set_run(round_, "pretrain", Run.State.STOPPED)
    advance.advance(round_.pk)
    assert stage(round_, "pretrain").state == "stopped"


def test_a_run_that_somebody_stops_makes_a_stopped_stage_that_is_taken_up_again(
    round_: Round, researcher: User
) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.STOPPED)
    for _ in range(2):
        advance.advance(round_.pk)
    stopped = stage(round_, "pretrain")
    assert (state(round_), stopped.state) == ("running", "stopped")
    assert "can go on from there" in stopped.note
    take_up.take_up(stopped, researcher)
    assert (stage(round_, "pretrain").state, run_of(round_, "pretrain").state) == ("running", "queued")
    with pytest.raises(Conflict):
        take_up.take_up(stopped, researcher)
    assert told(round_)[-2:] == [("run_stopped", "pretrain"), ("taken_up", "pretrain")]


def test_a_run_that_goes_on_on_its_own_page_takes_its_stage_along(round_: Round) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.STOPPED)
    advance.advance(round_.pk)
    end_run(round_, "pretrain")
    advance.advance(round_.pk)
    assert stage(round_, "pretrain").state == "done"


def test_a_failed_run_that_is_tried_again_on_its_own_page_takes_its_round_along(round_: Round) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.FAILED, error="The disk is full.")
    advance.advance_all()
    assert state(round_) == "failed"
    set_run(round_, "pretrain", Run.State.QUEUED, error="")
    advance.advance_all()
    assert (state(round_), stage(round_, "pretrain").state) == ("running", "running")
    assert told(round_)[-1] == ("taken_up", "pretrain")


def test_a_stage_that_was_stopped_stays_so_through_a_pause(round_: Round, researcher: User) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.STOPPED)
    advance.advance(round_.pk)
    control.pause(round_.pk, researcher)
    with pytest.raises(Conflict, match="paused"):
        take_up.take_up(stage(round_, "pretrain"), researcher)
    control.resume(round_.pk, researcher)
    advance.advance(round_.pk)
    assert stage(round_, "pretrain").state == "stopped"


def test_a_stopped_round_is_over_and_keeps_its_labels(round_: Round, researcher: User, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    done = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert done is not None
    submit(labeler, done.pk, "Kept.")
    held = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert held is not None
    control.stop(round_.pk, researcher)
    assert (state(round_), states(round_)) == ("stopped", {"pretrain": "stopped", "demonstrate": "stopped"})
    assert run_of(round_, "pretrain").state == Run.State.STOPPED
    assert WorkItem.objects.filter(withdrawn_at__isnull=False).count() == 2
    submit(labeler, held.pk, "Finished after the stop.")
    assert Demonstration.objects.count() == 2
    assert dispatch.claim(labeler, Kind.DEMONSTRATE) is None
    advance.advance_all()
    assert state(round_) == "stopped"


@pytest.mark.parametrize("door", [control.pause, control.resume, control.stop])
def test_what_was_stopped_cannot_be_touched_again(
    round_: Round, researcher: User, door: Callable[[int, User], None]
) -> None:
    advance.advance(round_.pk)
    control.stop(round_.pk, researcher)
    before = told(round_)
    with pytest.raises(Conflict):
        door(round_.pk, researcher)
    assert told(round_) == before


def test_a_paused_and_a_failed_round_can_be_stopped(round_: Round, researcher: User) -> None:
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.FAILED, error="The disk is full.")
    advance.advance(round_.pk)
    control.stop(round_.pk, researcher)
    assert states(round_) == {"pretrain": "failed", "demonstrate": "stopped"}


def test_the_timeline_tells_all_of_it(round_: Round, researcher: User, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    control.pause(round_.pk, researcher)
    control.resume(round_.pk, researcher)
    write_all(labeler)
    advance.advance(round_.pk)
    control.stop(round_.pk, researcher)
    assert told(round_) == [
        ("opened", ""),
        ("started", "pretrain"),
        ("started", "demonstrate"),
        ("paused", ""),
        ("resumed", ""),
        ("finished", "demonstrate"),
        ("stopped", ""),
    ]
    by_people = round_.events.filter(who=researcher).order_by("pk").values_list("what", flat=True)
    assert list(by_people) == ["opened", "paused", "resumed", "stopped"]


# ── A stage that waits for a person ─────────────────────────────────────────────────────────────────────────────────


def test_a_stage_with_a_hold_waits_before_it_starts(round_: Round, researcher: User) -> None:
    Round.objects.update(settings={**round_.settings, "hold": ["demonstrate"]})
    for _ in range(2):
        advance.advance(round_.pk)
    held = stage(round_, "demonstrate")
    assert (held.state, held.batch, held.started_at) == ("held", None, None)
    take_up.go_on(held, researcher)
    with pytest.raises(Conflict):
        take_up.go_on(held, researcher)
    advance.advance(round_.pk)
    assert states(round_)["demonstrate"] == "running"
    assert told(round_)[-3:] == [("held", "demonstrate"), ("let_go", "demonstrate"), ("started", "demonstrate")]


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_a_pause_that_races_with_the_rounds_workers_leaves_nothing_open(researcher: User) -> None:
    """Either what is due has begun and is paused with the round, or it has not begun; never a stage that runs on."""
    for _ in range(3):
        round_ = make_round(researcher) if not Round.objects.exists() else reopened(researcher)
        rings = [lambda pk=round_.pk: advance.advance(pk) for _ in range(4)]
        gave = all_at_once([*rings, lambda pk=round_.pk: control.pause(pk, researcher)])
        assert [error for error in gave if error] == []
        assert state(round_) == "paused"
        assert not Run.objects.filter(state=Run.State.QUEUED).exists()
        assert not WorkItem.objects.filter(is_open=True).exists()
        before = (Run.objects.count(), Batch.objects.count(), told(round_))
        advance.advance(round_.pk)
        assert (Run.objects.count(), Batch.objects.count(), told(round_)) == before


def reopened(researcher: User) -> Round:
    first = Round.objects.earliest("pk")
    return open_round(name="again", settings=first.settings, seed=1, user=researcher)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_try_again_at_once_one_does(researcher: User) -> None:
    round_ = make_round(researcher)
    second = make_user("rolf")
    advance.advance(round_.pk)
    set_run(round_, "pretrain", Run.State.FAILED, error="The disk is full.")
    advance.advance(round_.pk)
    failed = stage(round_, "pretrain")
    gave = all_at_once([lambda who=who: take_up.retry(failed, who) for who in (researcher, second)])
    assert sorted(type(one).__name__ for one in gave) == ["Conflict", "NoneType"]
    assert told(round_).count(("retried", "pretrain")) == 1
    assert (state(round_), run_of(round_, "pretrain").state) == ("running", Run.State.QUEUED)
