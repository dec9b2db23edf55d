"""The cockpit's pages: what they show, what they cost, and who may press what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from labeling import access
from labeling.demonstrations.submit import submit
from labeling.labelers.enroll import give_role
from labeling.models import ActiveSpan, Kind, Labeler, Role, Round, RoundEvent, Stage, User
from labeling.queue import dispatch
from labeling.rounds import advance, control, timeline
from labeling.rounds.progress import left_of, loop_of
from tests.labeling.rounds.test_advance import stage, write_all
from tests.labeling.rounds.test_control import set_run, state
from training.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def page_of(client: Client, round_: Round) -> str:
    return client.get(reverse("round-detail", args=[round_.pk])).content.decode()


def poll(client: Client, round_: Round, seen: object = "") -> str:
    address = reverse("round-detail", args=[round_.pk])
    return client.get(address, {"seen": str(seen)}, headers={"HX-Request": "true"}).content.decode()


def written(labeler: Labeler) -> None:
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    submit(labeler, lease.pk, "An answer.")


def last_event(round_: Round) -> RoundEvent:
    event = round_.events.first()
    assert event is not None
    return event


# ── The loop ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_of_peoples_work_says_who_is_at_it_and_how_fast(
    rosa: Client, round_: Round, labeler: Labeler, second_labeler: Labeler
) -> None:
    advance.advance(round_.pk)
    written(labeler)
    dispatch.claim(labeler, Kind.DEMONSTRATE)
    dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    page = page_of(rosa, round_)
    assert "1 of 4 labels" in page
    assert "2 labelers at it now · 1 today · 1 in the last hour" in page


def test_a_poll_has_the_rest_of_the_page_only_after_something_happened(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    seen = last_event(round_).pk
    assert "timeline" not in poll(rosa, round_, seen)
    assert 'id="timeline" hx-swap-oob="true"' in poll(rosa, round_, seen - 1)


def test_a_page_polls_only_while_something_goes_on(rosa: Client, round_: Round, researcher: User) -> None:
    advance.advance(round_.pk)
    assert 'hx-trigger="every 3s"' in page_of(rosa, round_)
    set_run(round_, "pretrain", Run.State.RUNNING)
    control.pause(round_.pk, researcher)
    page = page_of(rosa, round_)  # its run is still saving
    assert 'hx-trigger="every 3s"' in page
    assert "Saving, then it stops" in page
    set_run(round_, "pretrain", Run.State.STOPPED)
    assert 'hx-trigger="every 3s"' not in page_of(rosa, round_)


def queries_of(look: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        look()
    return len(captured)


def test_a_poll_costs_eight_queries_however_many_stages_there_are(
    rosa: Client, round_: Round, labeler: Labeler
) -> None:
    Round.objects.update(settings={**round_.settings, "budget": {"labels": 100, "hours": 5}})
    advance.advance(round_.pk)
    poll(rosa, round_)  # what is read once for all is read
    seen = last_event(round_).pk
    few = queries_of(lambda: poll(rosa, round_, seen))
    for number in range(40):
        batch = dispatch.open_batch(
            name=f"more {number}",
            kind=Kind.DEMONSTRATE,
            purpose=stage(round_, "demonstrate").batch.purpose,  # type: ignore[union-attr]
            cohort=labeler.cohort,
            guideline=stage(round_, "demonstrate").batch.guideline,  # type: ignore[union-attr]
        )
        Stage.objects.create(round=round_, name=f"more_{number}", position=30 + number, state="running", batch=batch)
    many = queries_of(lambda: poll(rosa, round_, seen))
    assert few == many
    assert few <= 8


# ── Time left ───────────────────────────────────────────────────────────────────────────────────────────────────────


def left(round_: Round) -> Any:
    fresh = access.round_for_research(round_.pk)
    return left_of(fresh, loop_of(fresh))


def test_without_an_earlier_round_nobody_knows_how_long_it_takes(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    assert left(round_).why.startswith("no earlier round shows how long Pretrain, Demonstrate, SFT and 16 more take")
    assert "Time left: unknown" in page_of(rosa, round_)


def test_an_earlier_round_gives_a_range(round_: Round, researcher: User) -> None:
    """All stages took 60 s in one earlier round and 120 s in another, with nobody labelling. The longest way: pretrain,
    sft, sample, rank, reward model, ppo, its sample, judge; the gate takes no time."""
    for took in (60, 120):
        other = Round.objects.create(name=f"took {took}", settings={}, created_by=researcher, state="done")
        now = timezone.now()
        Stage.objects.bulk_create(
            Stage(
                round=other,
                name=one.name,
                position=one.position,
                state="done",
                started_at=now - timedelta(seconds=took),
                finished_at=now,
            )
            for one in round_.stages.all()
        )
    found = left(round_)
    assert (found.span.low, found.span.high) == (8 * 60, 8 * 120)


def test_a_round_that_waits_for_a_person_has_no_time_left(round_: Round) -> None:
    round_.stages.filter(name="gate").update(state=Stage.State.HELD)
    assert left(round_).why == "Gate waits for a person"


# ── Control ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_researcher_pauses_and_resumes(rosa: Client, round_: Round) -> None:
    advance.advance(round_.pk)
    assert rosa.post(reverse("round-pause", args=[round_.pk])).status_code == 302
    page = page_of(rosa, round_)
    assert "Resume" in page
    assert rosa.post(reverse("round-pause", args=[round_.pk])).status_code == 409
    assert rosa.post(reverse("round-resume", args=[round_.pk])).status_code == 302
    assert state(round_) == "running"


def test_to_stop_is_asked_first(rosa: Client, round_: Round, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    written(labeler)
    stop = reverse("round-stop", args=[round_.pk])
    asked = rosa.get(stop).content.decode()
    assert "Stop this round for good?" in asked
    assert "Kept: 1 label," in asked
    assert state(round_) == "running"
    assert rosa.post(stop).status_code == 302
    assert state(round_) == "stopped"


def test_priority_and_budget_are_set_on_the_page(rosa: Client, round_: Round) -> None:
    rosa.post(reverse("round-weigh", args=[round_.pk]), {"weight": "5"})
    rosa.post(reverse("round-budget", args=[round_.pk]), {"labels": "40", "hours": "1.5"})
    page = page_of(rosa, round_)
    assert 'value="5"' in page
    assert "<code>labels</code>: none → 40" in page
    assert '<span class="num">0 of 40</span> labels, <span class="num">40</span> left' in page
    assert rosa.post(reverse("round-weigh", args=[round_.pk]), {"weight": "0"}).status_code == 422


def test_hours_are_the_ledgers(rosa: Client, round_: Round, labeler: Labeler) -> None:
    """An hour and a half at one piece."""
    Round.objects.update(settings={**round_.settings, "budget": {"hours": 6}})
    advance.advance(round_.pk)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    now = timezone.now()
    ActiveSpan.objects.filter(labeler=labeler).delete()
    ActiveSpan.objects.create(
        labeler=labeler, assignment=lease, started_at=now - timedelta(minutes=90), ended_at=now, is_last=True
    )
    assert '<span class="num">1.5 of 6</span> hours, <span class="num">4.5</span> left' in page_of(rosa, round_)
    assert ">1.5<" in rosa.get(reverse("round-list")).content.decode()


@pytest.mark.parametrize("name", ["round-pause", "round-resume", "round-stop", "round-weigh", "round-budget"])
def test_nobody_but_researchers_controls_a_round(
    client: Client, round_: Round, labeler: Labeler, admin_user: User, name: str
) -> None:
    advance.advance(round_.pk)
    for user in (labeler.user, admin_user):
        client.force_login(user)
        assert client.post(reverse(name, args=[round_.pk]), {"weight": "2"}).status_code == 404
    assert state(round_) == "running"
    assert round_.events.exclude(who=None).count() == 1  # it was opened


# ── The timeline ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_newest_stands_first_and_names_who_did_it(rosa: Client, round_: Round, researcher: User) -> None:
    advance.advance(round_.pk)
    control.pause(round_.pk, researcher)
    page = page_of(rosa, round_).split('id="timeline"')[1]
    assert page.index(">Paused<") < page.index(">Stage started<") < page.index(">Opened<")
    assert "by Rosa" in page
    assert "by Podium itself" in page


def test_a_long_timeline_has_pages(rosa: Client, round_: Round) -> None:
    for number in range(40):
        timeline.add(round_, RoundEvent.What.STARTED, stage=f"s{number}")
    assert "All of it: 29 more" in page_of(rosa, round_)
    address = reverse("round-timeline", args=[round_.pk])
    assert "Page 1 of 2" in rosa.get(address).content.decode()
    assert ">Opened<" in rosa.get(address, {"page": 2}).content.decode()


def test_an_actor_with_a_page_is_linked_for_who_may_read_it(rosa: Client, round_: Round, labeler: Labeler) -> None:
    timeline.add(round_, RoundEvent.What.PAUSED, who=labeler.user)
    address = reverse("labeler-detail", args=[labeler.pseudonym])
    assert address not in page_of(rosa, round_)
    give_role(round_.created_by, Role.ADMIN)
    assert address in page_of(rosa, round_)


def test_programs_read_the_events(rosa: Client, round_: Round, researcher: User) -> None:
    control.weigh(round_.pk, 4, researcher)
    events = rosa.get(reverse("api-round", args=[round_.pk])).json()["events"]
    assert [event["what"] for event in events] == ["weight", "opened"]
    assert events[0]["who"] == "Rosa"
    assert events[0]["details"] == {"changed": {"priority": [1, 4]}}


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_labels_and_is_filtered_by_state(
    rosa: Client, round_: Round, labeler: Labeler, researcher: User
) -> None:
    advance.advance(round_.pk)
    write_all(labeler)
    listed = reverse("round-list")
    assert '<td class="right num">4</td>' in rosa.get(listed).content.decode()
    assert "0 of 20" in rosa.get(listed, {"state": "running"}).content.decode()
    assert "No round is in this state." in rosa.get(listed, {"state": "paused"}).content.decode()
    control.pause(round_.pk, researcher)
    assert "0 of 20" in rosa.get(listed, {"state": "paused"}).content.decode()


def test_a_list_of_many_rounds_costs_as_much_as_one_of_few(rosa: Client, round_: Round, researcher: User) -> None:
    listed = reverse("round-list")
    rosa.get(listed)
    few = queries_of(lambda: rosa.get(listed))
    for number in range(20):
        Round.objects.create(name=f"r{number}", settings={}, created_by=researcher)
    cache.clear()
    assert queries_of(lambda: rosa.get(listed)) == few


# ── Labelers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_labeler_is_told_that_work_is_paused(
    client: Client, round_: Round, labeler: Labeler, researcher: User
) -> None:
    advance.advance(round_.pk)
    client.force_login(labeler.user)
    nothing = reverse("queue-nothing", args=["demonstrate"])
    control.pause(round_.pk, researcher)
    assert "The researchers have paused the rest of this kind." in client.get(nothing).content.decode()
    assert client.post(reverse("queue-next", args=["demonstrate"])).headers["Location"] == nothing
    control.resume(round_.pk, researcher)
    control.stop(round_.pk, researcher)
    assert "paused" not in client.get(nothing).content.decode()
