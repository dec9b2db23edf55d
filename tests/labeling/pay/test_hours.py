"""Time and pay from spans; every expected number is worked by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from labeling.pay.hours import RateFrom, Row, Span, rows, total

BERLIN, UTC_ZONE, CAIRO = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"), ZoneInfo("Africa/Cairo")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EURO = [RateFrom(LONG_AGO, Decimal("18.00"), "EUR")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def span(start: str, end: str, kind: str = "rank", who: str = "a") -> Span:
    return Span(who, kind, at(start), at(end))


def plain(made: list[Row]) -> list[tuple[str, str, float, str]]:
    return [(f"{row.day:%F}", row.kind, row.time.total_seconds(), str(row.amount)) for row in made]


def test_a_span_across_midnight_is_two_days() -> None:
    """23:50 to 00:20 in Berlin's winter, which is an hour ahead: 10 and 20 minutes at 18 an hour, 3.00 and 6.00."""
    made = rows(
        [span("2026-01-09T22:50", "2026-01-09T23:20")], {"a": EURO}, BERLIN, date(2026, 1, 9), date(2026, 1, 10)
    )
    assert plain(made) == [("2026-01-09", "rank", 600, "3.00"), ("2026-01-10", "rank", 1200, "6.00")]


def test_the_same_span_is_one_day_elsewhere() -> None:
    one = [span("2026-01-09T22:50", "2026-01-09T23:20")]
    made = rows(one, {"a": EURO}, UTC_ZONE, date(2026, 1, 9), date(2026, 1, 10))
    assert plain(made) == [("2026-01-09", "rank", 1800, "9.00")]


def test_clocks_put_forward_take_no_time_away() -> None:
    """On 29 March 2026 Berlin's clocks go from 2:00 to 3:00; that day has 23 hours, and all of them are counted."""
    whole = [span("2026-03-28T23:00", "2026-03-29T22:00")]
    made = rows(whole, {"a": EURO}, BERLIN, date(2026, 3, 28), date(2026, 3, 30))
    assert plain(made) == [("2026-03-29", "rank", 23 * 3600, "414.00")]


def test_clocks_put_back_add_the_hour_that_was_worked() -> None:
    """25 October 2026, 2:30 summer time to 2:30 winter time in Berlin is one hour of work."""
    made = rows(
        [span("2026-10-25T00:30", "2026-10-25T01:30")], {"a": EURO}, BERLIN, date(2026, 10, 25), date(2026, 10, 25)
    )
    assert plain(made) == [("2026-10-25", "rank", 3600, "18.00")]


def test_a_midnight_that_does_not_exist() -> None:
    """Cairo's clocks go from 0:00 to 1:00 on 24 April 2026, at 22:00 UTC: the new day begins in that moment."""
    made = rows(
        [span("2026-04-23T21:30", "2026-04-23T22:30")], {"a": EURO}, CAIRO, date(2026, 4, 23), date(2026, 4, 24)
    )
    assert [(row.day.day, row.time) for row in made] == [(23, timedelta(minutes=30)), (24, timedelta(minutes=30))]


def test_a_rate_that_changes_in_the_middle_of_a_day_cuts_it() -> None:
    """9:00 to 11:00 with a rise from 18 to 24 at 10:00: 18.00 and 24.00, two rows of one day."""
    rates = [*EURO, RateFrom(at("2026-05-04T10:00"), Decimal("24.00"), "EUR")]
    made = rows(
        [span("2026-05-04T09:00", "2026-05-04T11:00")], {"a": rates}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4)
    )
    assert [(row.hourly, row.amount) for row in made] == [
        (Decimal("18.00"), Decimal("18.00")),
        (Decimal("24.00"), Decimal("24.00")),
    ]


def test_a_change_to_another_currency_is_never_added_together() -> None:
    rates = [*EURO, RateFrom(at("2026-05-04T10:00"), Decimal("20.00"), "USD")]
    made = rows(
        [span("2026-05-04T09:30", "2026-05-04T10:30")], {"a": rates}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4)
    )
    assert total(made).amounts == {"EUR": Decimal("9.00"), "USD": Decimal("10.00")}


def test_without_a_rate_there_is_time_and_no_money() -> None:
    """Before the first rate, and after it was taken away."""
    rates = [RateFrom(at("2026-05-04T10:00"), Decimal("18.00"), "EUR"), RateFrom(at("2026-05-04T11:00"), None, "EUR")]
    made = rows(
        [span("2026-05-04T09:00", "2026-05-04T12:00")], {"a": rates}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4)
    )
    assert [(row.time, row.amount) for row in made] == [
        (timedelta(hours=2), None),
        (timedelta(hours=1), Decimal("18.00")),
    ]
    assert total(made).unpaid == timedelta(hours=2)
    assert total(made).amounts == {"EUR": Decimal("18.00")}
    assert plain(
        rows([span("2026-05-04T09:00", "2026-05-04T09:01")], {}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4))
    ) == [("2026-05-04", "rank", 60, "None")]


def test_money_is_rounded_once_a_row_and_totals_add_the_rounded() -> None:
    """Three days of 1 s at 18 an hour are 0.005 each, half a cent: 0.01 a row, 0.03 in all, though 3 s are 0.015.
    Twice 0.5 s on one day are one row, and so 0.01 and not 0.00."""
    three = [span(f"2026-05-0{day}T09:00:00", f"2026-05-0{day}T09:00:01") for day in (4, 5, 6)]
    made = rows(three, {"a": EURO}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 6))
    assert total(made).amounts == {"EUR": Decimal("0.03")}
    halves = [span(f"2026-05-04T0{n}:00:00", f"2026-05-04T0{n}:00:00.500") for n in (8, 9)]
    assert plain(rows(halves, {"a": EURO}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4))) == [
        ("2026-05-04", "rank", 1, "0.01")
    ]


def test_seconds_are_exact() -> None:
    made = rows(
        [span("2026-05-04T09:00:00", "2026-05-04T09:00:00.000001"), span("2026-05-04T10:00:00", "2026-05-04T10:01:40")],
        {"a": EURO},
        UTC_ZONE,
        date(2026, 5, 4),
        date(2026, 5, 4),
    )
    assert f"{made[0].seconds:f}" == "100.000001"


def test_a_sheet_by_hand() -> None:
    """Labeler a: 50 min ranking and 25 min writing at 18; b: 7 min 7 s ranking at 12.34.
    15.00 + 7.50 + 427 s x 12.34 / 3600 = 1.4636... -> 1.46."""
    worked = [
        span("2026-05-04T09:00", "2026-05-04T09:20"),
        span("2026-05-04T09:20", "2026-05-04T09:45", "demonstrate"),
        span("2026-05-04T13:00", "2026-05-04T13:30"),
        span("2026-05-04T13:00:00", "2026-05-04T13:07:07", "rank", "b"),
    ]
    rates = {"a": EURO, "b": [RateFrom(LONG_AGO, Decimal("12.34"), "EUR")]}
    made = rows(worked, rates, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4))
    assert [(row.labeler, *line[1:]) for row, line in zip(made, plain(made), strict=True)] == [
        ("a", "demonstrate", 1500, "7.50"),
        ("a", "rank", 3000, "15.00"),
        ("b", "rank", 427, "1.46"),
    ]
    assert total(made).amounts == {"EUR": Decimal("23.96")}


def test_what_lies_outside_the_period_is_cut_off() -> None:
    """Three days of work without a pause, of which the middle one is asked for."""
    made = rows(
        [span("2026-05-03T00:00", "2026-05-06T00:00")], {"a": EURO}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4)
    )
    assert plain(made) == [("2026-05-04", "rank", 86400, "432.00")]
    assert rows([span("2026-05-01T00:00", "2026-05-02T00:00")], {}, UTC_ZONE, date(2026, 5, 4), date(2026, 5, 4)) == []
