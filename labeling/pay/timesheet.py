"""Timesheets from the ledger of active time. Only reads."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from labeling.errors import BadInput
from labeling.labelers.models import Labeler
from labeling.pay import hours
from labeling.pay.models import Rate
from labeling.queue.models import ActiveSpan, Kind, Lane

DAY = timedelta(days=1)
LONGEST = timedelta(days=1100)  # three years and a bit: what a page can show
COLUMNS = ["labeler", "day", "time_zone", "kind", "seconds", "hourly_rate", "currency", "amount"]


@dataclass(frozen=True)
class Period:
    """Days of the pay zone, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadInput(f"The period ends on {self.last:%F}, before it begins on {self.first:%F}.")
        if self.last - self.first > LONGEST:
            raise BadInput("The period is longer than three years; take it in parts.")

    @property
    def earlier(self) -> "Period":
        """The month before the one this begins in."""
        return month_of(self.first.replace(day=1) - timedelta(days=1))

    @property
    def later(self) -> "Period":
        """The month after the one this ends in."""
        return month_of(month_of(self.last).last + timedelta(days=1))


def zone() -> ZoneInfo:
    chosen: ZoneInfo = settings.PAY_TIME_ZONE
    return chosen


def this_month() -> Period:
    return month_of(timezone.now().astimezone(zone()).date())


def month_of(day: date) -> Period:
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Period(day.replace(day=1), following - timedelta(days=1))


def rows(period: Period, labeler: Labeler | None = None) -> list[hours.Row]:
    """The rows of one labeler's timesheet, or of everybody's."""
    start, end = hours.midnight(period.first, zone()), hours.midnight(period.last + timedelta(days=1), zone())
    spans = ActiveSpan.objects.filter(ended_at__gt=start, started_at__lt=end)
    rates = Rate.objects.all()
    if labeler:
        spans, rates = spans.filter(labeler=labeler), rates.filter(labeler=labeler)
    columns = spans.values_list("labeler__pseudonym", "assignment__lane", "started_at", "ended_at")
    kinds = {lane.value: lane.kind.value for lane in Lane}
    worked = (hours.Span(who, kinds[lane], since, until) for who, lane, since, until in columns.iterator())
    return hours.rows(worked, _by_labeler(rates.select_related("labeler")), zone(), period.first, period.last)


def _by_labeler(rates: Iterable[Rate]) -> dict[str, list[hours.RateFrom]]:
    found: dict[str, list[hours.RateFrom]] = defaultdict(list)
    for rate in rates:  # oldest first
        found[rate.labeler.pseudonym].append(hours.RateFrom(rate.since, rate.hourly_rate, rate.currency))
    return found


@dataclass(frozen=True)
class Sum:
    """Rows that belong together, with the time of each kind of work."""

    of: Any
    rows: Sequence[hours.Row]
    total: hours.Total

    @property
    def kinds(self) -> list[timedelta]:
        """In the order of `Kind`."""
        return [sum((row.time for row in self.rows if row.kind == kind), timedelta()) for kind in Kind]


def summed(some: Sequence[hours.Row], by: str) -> list[Sum]:
    """The rows gathered by one of their fields, in its order."""
    found: dict[Any, list[hours.Row]] = defaultdict(list)
    for row in some:
        found[getattr(row, by)].append(row)
    return [Sum(key, found[key], hours.total(found[key])) for key in sorted(found)]


def write_csv(some: Iterable[hours.Row], out: Any) -> None:
    """One line a row. The column `amount` adds up to the totals of the page; where no rate was set it is empty."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_cells(some))


def _cells(some: Iterable[hours.Row]) -> Iterator[list[Any]]:
    for row in some:
        hourly = "" if row.hourly is None else row.hourly
        amount = "" if row.amount is None else row.amount
        yield [row.labeler, row.day.isoformat(), zone().key, row.kind, f"{row.seconds:f}", hourly, row.currency, amount]
