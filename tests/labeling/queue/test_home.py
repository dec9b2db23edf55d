"""A labeler's start page: what there is to do, what was done, what is to be read."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.guidelines.publish import current, publish
from labeling.labelers.enroll import enroll
from labeling.labelers.rates import set_rate
from labeling.models import ActiveSpan, Assignment, Cohort, Guideline, Kind, Labeler, Prompt, Purpose, User, WorkItem
from labeling.prompts.topics import known
from labeling.queue import dispatch
from labeling.queue.home import work_of
from labeling.threads import talk
from tests.people import make_user
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def home(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def wednesday(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Noon on a Wednesday, which it is from now on."""
    noon = datetime(2026, 3, 4, 12, tzinfo=timezone.get_default_timezone())
    monkeypatch.setattr(timezone, "now", lambda: noon)
    return noon


def done(labeler: Labeler, kind: Kind, ended_at: datetime, minutes: int) -> None:
    """One piece that this labeler finished then, after so many minutes of work."""
    lease = dispatch.claim(labeler, kind)
    assert lease is not None
    Assignment.objects.filter(pk=lease.pk).update(state=Assignment.State.DONE, ended_at=ended_at)
    ActiveSpan.objects.create(
        labeler=labeler, assignment=lease, started_at=ended_at - timedelta(minutes=minutes), ended_at=ended_at
    )


# ── What there is to do ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_kind_without_anything_does_not_shout(lena: Client) -> None:
    writing_work(1)
    page = home(lena)
    assert '<h2 id="kind-demonstrate">' in page
    assert '<h2 id="kind-propose">' not in page
    assert "Nothing is open for you now: rank completions, write a prompt." in page


def test_a_kind_that_was_done_this_week_keeps_its_place(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    done(labeler, Kind.DEMONSTRATE, timezone.now(), 5)
    assert "Nothing is open for you. New work appears here" in home(lena)


def test_nothing_at_all_is_said_once(lena: Client) -> None:
    page = home(lena)
    assert "Nothing to do just now" in page
    assert page.count("New work appears here") == 1
    assert "Nothing yet this week" in page


def test_pieces_about_unwanted_topics_do_not_come_back_to_me(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    Prompt.objects.update(topics=["violence"])
    WorkItem.objects.update(topics=["violence"])
    dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert [work.returning for work in work_of(labeler)] == [1, 0, 0]
    known()
    dispatch.choose_topics(labeler, ["violence"])
    assert [work.returning for work in work_of(labeler)] == [0, 0, 0]
    dispatch.choose_topics(labeler, ["drugs"])
    assert [work.returning for work in work_of(labeler)] == [1, 0, 0]


def test_a_held_piece_does_not_come_back_by_itself(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    WorkItem.objects.update(held_at=timezone.now())
    assert [work.returning for work in work_of(labeler)] == [0, 0, 0]


# ── What I did ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pieces_and_time_of_today_and_this_week(
    lena: Client, labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = wednesday(monkeypatch)
    writing_work(3)
    ranking_work(1)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(hours=1), 20)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(days=2), 30)  # Monday
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(days=3), 40)  # Sunday: another week
    done(labeler, Kind.RANK, noon - timedelta(days=1), 10)
    by_kind = {work.kind: work for work in work_of(labeler)}
    writing, ranking = by_kind[Kind.DEMONSTRATE], by_kind[Kind.RANK]
    assert (writing.today, writing.week, ranking.today, ranking.week) == (1, 2, 0, 1)
    assert (writing.active_today, writing.active_week) == (timedelta(minutes=20), timedelta(minutes=50))
    page = home(lena)
    together = page[page.index("Together") :][:400]
    assert "20 min" in together
    assert "1 h 0 min" in together
    assert "Estimated pay" not in page


def test_days_and_weeks_begin_where_those_of_the_timesheet_do(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """In Auckland it is Thursday, an hour after midnight; their Monday began on Sunday at 11 UTC."""
    settings.PAY_TIME_ZONE = ZoneInfo("Pacific/Auckland")
    noon = wednesday(monkeypatch)
    writing_work(4)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(minutes=15), 20)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(hours=2), 30)  # their Wednesday
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(days=3, minutes=20), 10)  # Sunday, 11:40 UTC
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(days=3, hours=2), 40)  # Sunday, 10 UTC: their week before
    writing = {work.kind: work for work in work_of(labeler)}[Kind.DEMONSTRATE]
    assert (writing.today, writing.week) == (1, 3)
    assert (writing.active_today, writing.active_week) == (timedelta(minutes=20), timedelta(minutes=60))


def test_pay_is_an_estimate_where_a_rate_is_set(
    lena: Client, labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = wednesday(monkeypatch)
    set_rate(labeler, Decimal("24.00"), "EUR")
    writing_work(2)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(hours=1), 10)
    done(labeler, Kind.DEMONSTRATE, noon - timedelta(days=1), 20)
    page = home(lena)
    assert "24.00 EUR an hour" in page
    assert "4.00 EUR" in page  # ten minutes
    assert "12.00 EUR" in page  # half an hour
    assert "an estimate" in page


# ── What is to be read, and what else ───────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_reads_first_even_on_a_new_installation(client: Client) -> None:
    newcomer = enroll(make_user("nina"), cohort=Cohort.TRAINING)
    assert not Guideline.objects.exists()
    client.force_login(newcomer.user)
    page = home(client)
    assert "Please read this first" in page
    assert reverse("guideline-read", args=[current(Purpose.TRAINING).pk]) in page
    assert reverse("queue-next", args=["demonstrate"]) not in page


def test_a_changed_guideline_stops_work_and_confirming_lets_it_go_on(lena: Client, labeler: Labeler) -> None:
    writing_work(2)
    lena.post(reverse("queue-next", args=["demonstrate"]))
    guideline = publish(Purpose.TRAINING, "Title", "New.")
    page = home(lena)
    assert "Please read this first" in page
    assert "the piece you have begun stays yours" in page
    assert lena.post(reverse("queue-next", args=["demonstrate"])).status_code == 403
    lena.post(reverse("guideline-acknowledge", args=[guideline.pk]))
    assert "What would you like to do?" in home(lena)
    assert lena.post(reverse("queue-next", args=["demonstrate"])).status_code == 302


def test_unread_messages_are_announced(lena: Client, researcher: User) -> None:
    assert "something new for you" not in home(lena)
    talk.announce(researcher, "Monday", "We start at nine.")
    page = home(lena)
    assert "One conversation has something new for you" in page
    assert '<span class="count"' in page


def test_unwanted_topics_are_shown_by_name(lena: Client, labeler: Labeler) -> None:
    assert "You are given pieces about everything" in home(lena)
    lena.post(reverse("topic-choose"), {"unwanted": ["violence"]})
    assert "You are not given pieces about: Violence and injury" in home(lena)


def test_the_page_is_cheap(
    lena: Client, labeler: Labeler, second_labeler: Labeler, django_assert_max_num_queries: Any
) -> None:
    """Session, account, 3 counts of open pieces, leases, done, returning, 2 of active time, topics, unread,
    announcements, surveys."""
    writing_work(3)
    ranking_work(1)
    dispatch.claim(second_labeler, Kind.RANK)
    lena.post(reverse("topic-choose"), {"unwanted": ["violence"]})
    home(lena)  # shows what was saved, and ends that message
    with django_assert_max_num_queries(14):
        home(lena)


def test_the_page_of_a_paused_labeler(lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    Labeler.objects.update(state=Labeler.State.PAUSED)
    page = home(lena)
    assert "Your account is paused" in page
    assert reverse("queue-next", args=["demonstrate"]) not in page
