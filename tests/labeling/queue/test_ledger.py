"""The ledger of active time, by a fake clock: idle and background time do not count, and no moment counts twice."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from labeling.models import ActiveSpan, Assignment, Kind, Labeler
from labeling.queue import dispatch, drafts, ledger
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def at(self, seconds: float) -> None:
        self.now = START + timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def writing(labeler: Labeler) -> Assignment:
    writing_work(2)
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert assignment is not None
    return assignment


@pytest.fixture
def ranking(labeler: Labeler) -> Assignment:
    ranking_work(1)
    assignment = dispatch.claim(labeler, Kind.RANK)
    assert assignment is not None
    return assignment


def seconds(labeler: Labeler) -> dict[str, float]:
    times = ledger.active(labeler, START - timedelta(days=1))
    return {kind: time.total_seconds() for kind, time in times.items() if time}


def sign(clock: Clock, assignment: Assignment, *moments: float) -> None:
    for moment in moments:
        clock.at(moment)
        ledger.sign(assignment.labeler_id, assignment.pk)


def test_time_between_signs_counts(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    sign(clock, writing, 0, 15, 40, 100)
    assert seconds(labeler) == {"demonstrate": 100}
    assert ledger.active_on(writing) == timedelta(seconds=100)
    assert ActiveSpan.objects.count() == 1


def test_one_sign_alone_counts_nothing(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    sign(clock, writing, 0)
    assert seconds(labeler) == {}
    assert ledger.active_on(writing) == timedelta()


def test_a_pause_of_a_minute_counts_and_a_longer_one_does_not(
    clock: Clock, labeler: Labeler, writing: Assignment
) -> None:
    sign(clock, writing, 0, 60)
    assert seconds(labeler) == {"demonstrate": 60}
    sign(clock, writing, 121, 131)  # 61 s later: idle, or in the background
    assert seconds(labeler) == {"demonstrate": 70}


def test_the_length_of_a_pause_is_a_setting(
    clock: Clock, labeler: Labeler, writing: Assignment, settings: pytest.FixtureRequest
) -> None:
    settings.IDLE_SECONDS = 5  # type: ignore[attr-defined]
    sign(clock, writing, 0, 5, 11)
    assert seconds(labeler) == {"demonstrate": 5}


def test_a_change_of_work_counts_for_what_comes_after(
    clock: Clock, labeler: Labeler, writing: Assignment, ranking: Assignment
) -> None:
    sign(clock, writing, 0, 30)
    sign(clock, ranking, 50, 60)
    assert seconds(labeler) == {"demonstrate": 30, "rank": 30}


def test_two_tabs_count_once(clock: Clock, labeler: Labeler, writing: Assignment, ranking: Assignment) -> None:
    for moment in range(0, 121, 10):  # both sign every ten seconds
        sign(clock, writing, moment)
        sign(clock, ranking, moment + 1)
    assert sum(seconds(labeler).values()) == 121
    assert not _overlaps(labeler)


def test_the_same_tab_twice_counts_once(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    for moment in range(0, 61, 10):
        sign(clock, writing, moment, moment)
    assert seconds(labeler) == {"demonstrate": 60}


def test_drafts_count_no_time_twice(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    base = 0
    for moment in range(0, 31, 2):
        sign(clock, writing, moment)
        base = drafts.save(labeler, writing.pk, [("text", f"{moment}")], base).revision
    assert seconds(labeler) == {"demonstrate": 30}


def test_a_clock_that_goes_back_takes_nothing_away(
    clock: Clock, labeler: Labeler, writing: Assignment, ranking: Assignment
) -> None:
    sign(clock, writing, 0, 30, 20)
    assert seconds(labeler) == {"demonstrate": 30}
    sign(clock, ranking, 25, 40)
    assert seconds(labeler) == {"demonstrate": 30, "rank": 10}


def test_labelers_do_not_disturb_each_other(clock: Clock, labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(2)
    mine, theirs = dispatch.claim(labeler, Kind.DEMONSTRATE), dispatch.claim(second_labeler, Kind.DEMONSTRATE)
    assert mine and theirs
    for moment in (0, 20, 40):
        sign(clock, mine, moment)
        sign(clock, theirs, moment + 5)
    assert (seconds(labeler), seconds(second_labeler)) == ({"demonstrate": 40}, {"demonstrate": 40})


def test_days_are_cut_at_midnight(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    midnight = START.replace(hour=0) + timedelta(days=1)
    before = (midnight - START).total_seconds()
    sign(clock, writing, before - 30, before, before + 45)
    assert ledger.active(labeler, midnight)["demonstrate"] == timedelta(seconds=45)
    assert ledger.active(labeler, midnight - timedelta(seconds=10))["demonstrate"] == timedelta(seconds=55)
    assert ledger.active(labeler, midnight - timedelta(days=1))["demonstrate"] == timedelta(seconds=75)
    assert ledger.active(labeler, midnight + timedelta(days=1)) == dict.fromkeys(Kind.values, timedelta())


def test_a_day_is_the_sum_of_its_spans(
    clock: Clock, labeler: Labeler, writing: Assignment, ranking: Assignment
) -> None:
    for hour in range(8):  # ten minutes of writing and five of ranking every hour, a coffee in between
        sign(clock, writing, *(hour * 3600 + moment for moment in range(0, 601, 30)))
        sign(clock, ranking, *(hour * 3600 + moment for moment in range(900, 1201, 30)))
    assert seconds(labeler) == {"demonstrate": 8 * 600, "rank": 8 * 300}
    assert not _overlaps(labeler)


def test_the_database_keeps_one_span_that_may_grow(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    sign(clock, writing, 0)
    with pytest.raises(IntegrityError, match="one_last_span"), transaction.atomic():
        ActiveSpan.objects.create(labeler=labeler, assignment=writing, started_at=START, ended_at=START, is_last=True)


def _overlaps(labeler: Labeler) -> bool:
    spans = list(ActiveSpan.objects.filter(labeler=labeler).order_by("started_at", "ended_at"))
    return any(one.ended_at > other.started_at for one, other in pairwise(spans))


# ── Who signs ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lena(client: Client, labeler: Labeler) -> Client:
    client.force_login(labeler.user)
    return client


def post(name: str, query: str = "", **data: str) -> Callable[[Client, Assignment], object]:
    return lambda client, assignment: client.post(reverse(name, args=[assignment.pk]) + query, data)


@pytest.mark.parametrize(
    "act",
    [
        post("assignment-active"),
        post("assignment-renew"),
        post("assignment-skip"),
        post("assignment-draft", "?base=0", text="Half an ans"),
        post("demonstration-write", text="An answer."),
    ],
)
@pytest.mark.django_db(transaction=True)  # a submit signs after its commit
def test_these_sign(
    clock: Clock, lena: Client, labeler: Labeler, writing: Assignment, act: Callable[[Client, Assignment], object]
) -> None:
    sign(clock, writing, 0)
    clock.at(40)
    act(lena, writing)
    assert ledger.active_on(writing) == timedelta(seconds=40)


def test_starting_signs_and_looking_does_not(clock: Clock, lena: Client, labeler: Labeler) -> None:
    writing_work(1)
    page = lena.post("/work/next/demonstrate/").headers["Location"]
    clock.at(50)
    lena.get(page)
    lena.get("/")
    assert seconds(labeler) == {}
    assert ActiveSpan.objects.get().started_at == START


def test_a_submit_that_is_refused_signs_nothing(clock: Clock, lena: Client, writing: Assignment) -> None:
    sign(clock, writing, 0)
    clock.at(40)
    lena.post(reverse("demonstration-write", args=[writing.pk]), {"text": " "})
    assert ledger.active_on(writing) == timedelta()


@pytest.mark.django_db(transaction=True)
def test_simulated_labelers_leave_no_trace_in_the_ledger(clock: Clock, labeler: Labeler, writing: Assignment) -> None:
    labeler.is_simulated = True
    with transaction.atomic():
        dispatch.finish(labeler, writing.pk)
    assert not ActiveSpan.objects.exists()
