"""The timesheet from the ledger, its pages and its CSV."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from labeling.labelers.rates import set_rate
from labeling.models import ActiveSpan, Kind, Labeler, Rate, User
from labeling.pay import hours, timesheet
from labeling.queue import dispatch
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db

MAY = {"first": "2026-05-01", "last": "2026-05-31"}


def worked(labeler: Labeler, kind: Kind, start: datetime, length: timedelta) -> None:
    assignment = dispatch.claim(labeler, kind)
    assert assignment is not None
    ActiveSpan.objects.create(labeler=labeler, assignment=assignment, started_at=start, ended_at=start + length)


def rated(labeler: Labeler, amount: str, currency: str, since: datetime) -> None:
    set_rate(labeler, Decimal(amount), currency)
    Rate.objects.filter(labeler=labeler, hourly_rate=Decimal(amount)).update(since=since)


@pytest.fixture
def may(labeler: Labeler, second_labeler: Labeler) -> None:
    """Lena: 50 min of ranking on the 4th at 18 EUR and 1 h on the 5th at 24 EUR; 7 min 7 s of writing at 24 EUR.
    Luis: 30 min at 20 USD. 15.00 + 24.00 + 2.85 (427 s: 2.8466) = 41.85 EUR, 10.00 USD."""
    writing_work(1, need=2)
    ranking_work(1, need=2)
    rated(labeler, "18.00", "EUR", datetime(2026, 5, 1, tzinfo=UTC))
    rated(labeler, "24.00", "EUR", datetime(2026, 5, 5, tzinfo=UTC))
    rated(second_labeler, "20.00", "USD", datetime(2026, 5, 1, tzinfo=UTC))
    worked(labeler, Kind.RANK, datetime(2026, 5, 4, 9, tzinfo=UTC), timedelta(minutes=50))
    worked(labeler, Kind.RANK, datetime(2026, 5, 5, 9, tzinfo=UTC), timedelta(hours=1))
    worked(labeler, Kind.DEMONSTRATE, datetime(2026, 5, 5, 11, tzinfo=UTC), timedelta(seconds=427))
    worked(second_labeler, Kind.RANK, datetime(2026, 5, 6, 9, tzinfo=UTC), timedelta(minutes=30))


@pytest.fixture
def ada(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def amounts(response: Any) -> dict[str, Decimal]:
    """What a spreadsheet would add up."""
    found: dict[str, Decimal] = {}
    for row in csv.DictReader(io.StringIO(response.content.decode())):
        if row["amount"]:
            found[row["currency"]] = found.get(row["currency"], Decimal(0)) + Decimal(row["amount"])
    return found


def test_a_rate_that_changes_leaves_past_timesheets_as_they_were(labeler: Labeler) -> None:
    writing_work(1)
    rated(labeler, "18.00", "EUR", datetime(2026, 5, 1, tzinfo=UTC))
    worked(labeler, Kind.DEMONSTRATE, datetime(2026, 5, 4, 9, tzinfo=UTC), timedelta(hours=1))
    period = timesheet.month_of(datetime(2026, 5, 4, tzinfo=UTC).date())
    before = timesheet.rows(period, labeler)
    assert [row.amount for row in before] == [Decimal("18.00")]
    set_rate(labeler, Decimal("99"), "USD")
    set_rate(labeler, None, "USD")
    assert timesheet.rows(period, labeler) == before


def test_every_change_of_a_rate_is_a_row_and_the_same_again_is_none(labeler: Labeler, admin_user: User) -> None:
    set_rate(labeler, Decimal("18"), "EUR", admin_user)
    set_rate(labeler, Decimal("18.00"), "eur", admin_user)
    set_rate(labeler, None, "EUR", admin_user)
    assert list(labeler.rates.values_list("hourly_rate", "currency", "set_by")) == [
        (Decimal("18.00"), "EUR", admin_user.pk),
        (None, "EUR", admin_user.pk),
    ]


@pytest.mark.usefixtures("may")
def test_the_csv_adds_up_to_the_page(ada: Client) -> None:
    page = ada.get(reverse("timesheet"), MAY).content.decode()
    feet = re.search(r"<tfoot.*?</tfoot>", page, re.DOTALL)
    assert feet is not None
    assert re.findall(r"([\d.,]+) (EUR|USD)", feet[0]) == [("41.85", "EUR"), ("10.00", "USD")]
    assert amounts(ada.get(reverse("timesheet-csv"), MAY)) == {"EUR": Decimal("41.85"), "USD": Decimal("10.00")}


@pytest.mark.usefixtures("may")
def test_every_line_of_the_csv_can_be_worked_again(ada: Client, labeler: Labeler) -> None:
    address = reverse("labeler-timesheet-csv", args=[labeler.pseudonym])
    lines = list(csv.DictReader(io.StringIO(ada.get(address, MAY).content.decode())))
    assert [(line["day"], line["kind"], line["seconds"], line["hourly_rate"], line["amount"]) for line in lines] == [
        ("2026-05-04", "rank", "3000", "18.00", "15.00"),
        ("2026-05-05", "demonstrate", "427", "24.00", "2.85"),
        ("2026-05-05", "rank", "3600", "24.00", "24.00"),
    ]
    assert {(line["labeler"], line["time_zone"]) for line in lines} == {(labeler.pseudonym, "UTC")}


@pytest.mark.usefixtures("may")
def test_a_labeler_filter(ada: Client, second_labeler: Labeler) -> None:
    asked = {**MAY, "labeler": second_labeler.pseudonym}
    assert amounts(ada.get(reverse("timesheet-csv"), asked)) == {"USD": Decimal("10.00")}
    assert "41.85" not in ada.get(reverse("timesheet"), asked).content.decode()


@pytest.mark.usefixtures("may")
def test_days_follow_the_zone(ada: Client, labeler: Labeler, settings: Any) -> None:
    """9:00 UTC on the 4th is the 3rd, 23:00, in Honolulu, where the month is shifted likewise."""
    settings.PAY_TIME_ZONE = ZoneInfo("Pacific/Honolulu")
    page = ada.get(reverse("labeler-timesheet", args=[labeler.pseudonym]), MAY).content.decode()
    assert "in Pacific/Honolulu" in page
    assert "Sun 3 May 2026" in page


@pytest.mark.usefixtures("may")
def test_a_labeler_sees_their_own_hours_and_nobody_elses(
    client: Client, labeler: Labeler, second_labeler: Labeler
) -> None:
    client.force_login(labeler.user)
    page = client.get(reverse("my-hours"), MAY).content.decode()
    assert "41.85 EUR" in page
    assert "USD" not in page
    assert amounts(client.get(reverse("my-hours-csv"), MAY)) == {"EUR": Decimal("41.85")}
    assert reverse("my-hours") in client.get("/").content.decode()


def test_who_may_look(client: Client, labeler: Labeler, researcher: User, stranger: User) -> None:
    admins_only = [
        reverse("timesheet"),
        reverse("timesheet-csv"),
        reverse("labeler-timesheet", args=[labeler.pseudonym]),
        reverse("labeler-timesheet-csv", args=[labeler.pseudonym]),
    ]
    for address in [*admins_only, reverse("my-hours")]:
        assert client.get(address).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, researcher, stranger):
        client.force_login(user)
        for address in admins_only:
            assert client.get(address).status_code == 404
    assert client.get(reverse("my-hours")).status_code == 404


def test_nonsense_and_an_empty_period(ada: Client, labeler: Labeler) -> None:
    for address in (reverse("timesheet"), reverse("timesheet-csv")):
        answer = ada.get(address, {"first": "2026-05-31", "last": "2026-05-01"})
        assert answer.status_code == 422
        assert "before it begins" in answer.content.decode()
    assert ada.get(reverse("timesheet"), {"first": "yesterday"}).status_code == 422
    assert ada.get(reverse("timesheet"), {"first": "2000-01-01"}).status_code == 422
    assert ada.get(reverse("timesheet"), {"labeler": "labeler-nobody"}).status_code == 422
    assert "Nobody was at work" in ada.get(reverse("timesheet"), MAY).content.decode()
    assert ada.post(reverse("timesheet")).status_code == 405
    assert ada.get("/people/labeler-nobody/timesheet/").status_code == 404


def test_hours_without_a_rate_are_shown_as_such(ada: Client, labeler: Labeler) -> None:
    writing_work(1)
    worked(labeler, Kind.DEMONSTRATE, datetime(2026, 5, 4, 9, tzinfo=UTC), timedelta(hours=2))
    assert "no rate for 2:00:00" in ada.get(reverse("timesheet"), MAY).content.decode()
    assert amounts(ada.get(reverse("timesheet-csv"), MAY)) == {}
    assert hours.total(timesheet.rows(timesheet.Period(*[datetime(2026, 5, 4).date()] * 2))).unpaid == timedelta(
        hours=2
    )


def test_a_first_rate_that_came_late_may_count_from_the_first_day(
    ada: Client, labeler: Labeler, client: Client
) -> None:
    """Two hours before the first rate of 18 and one after the second of 24: 24.00 in money, then 60.00."""
    Labeler.objects.update(created_at=datetime(2026, 5, 1, tzinfo=UTC))
    address = reverse("rate-from-start", args=[labeler.pseudonym])
    assert ada.post(address).status_code == 409
    writing_work(1)
    ranking_work(1)
    worked(labeler, Kind.DEMONSTRATE, datetime(2026, 5, 4, 9, tzinfo=UTC), timedelta(hours=2))
    worked(labeler, Kind.RANK, datetime(2026, 5, 20, 9, tzinfo=UTC), timedelta(hours=1))
    rated(labeler, "18.00", "EUR", datetime(2026, 5, 10, tzinfo=UTC))
    rated(labeler, "24.00", "EUR", datetime(2026, 5, 15, tzinfo=UTC))
    csv_of = reverse("labeler-timesheet-csv", args=[labeler.pseudonym])
    assert amounts(ada.get(csv_of, MAY)) == {"EUR": Decimal("24.00")}
    assert (
        "count from the first day" in ada.get(reverse("labeler-timesheet", args=[labeler.pseudonym])).content.decode()
    )
    ada.post(address)
    assert amounts(ada.get(csv_of, MAY)) == {"EUR": Decimal("60.00")}
    assert ada.post(address).status_code == 409
    client.force_login(labeler.user)
    assert client.post(address).status_code == 404
    assert labeler.rates.count() == 3
