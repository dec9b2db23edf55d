"""Time and pay from spans, without a database.

A span is cut at every midnight of the zone and at every change of its labeler's rate. The pieces of one labeler, day,
kind, rate and currency are one row. Its time is summed exactly; money is rounded once, in the row, half a cent up; and
a total is the sum of the rounded rows, so that whoever adds up a timesheet finds the same to the cent.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
MICROSECOND = timedelta(microseconds=1)


class Span(NamedTuple):
    """Active time: whose, at what kind of work, from when to when."""

    labeler: str
    kind: str
    start: datetime
    end: datetime


class RateFrom(NamedTuple):
    """What an hour is worth from a moment on; None: no rate is set."""

    since: datetime
    hourly: Decimal | None
    currency: str


@dataclass(frozen=True)
class Row:
    """One line of a timesheet. `hourly` and `amount` are None where no rate was in force."""

    labeler: str
    day: date
    kind: str
    time: timedelta
    hourly: Decimal | None
    currency: str

    @property
    def seconds(self) -> Decimal:
        """To the microsecond, without zeros at the end."""
        exact = Decimal(self.time // MICROSECOND) / 1_000_000
        return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()

    @property
    def amount(self) -> Decimal | None:
        if self.hourly is None:
            return None
        return (self.hourly * (self.time // MICROSECOND) / 3_600_000_000).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Total:
    """Of some rows: all their time, the time without a rate, and the money of each currency on its own."""

    time: timedelta
    unpaid: timedelta
    amounts: Mapping[str, Decimal]


def rows(
    spans: Iterable[Span], rates: Mapping[str, Sequence[RateFrom]], zone: ZoneInfo, first: date, last: date
) -> list[Row]:
    """The timesheet of the days `first` to `last`, both included, by labeler, day, kind and rate in force.

    `rates` are each labeler's, oldest first. What lies outside the period is cut off.
    """
    midnights = [midnight(first + timedelta(days=n), zone) for n in range((last - first).days + 2)]
    times: dict[tuple[str, date, str, Decimal | None, str], timedelta] = defaultdict(timedelta)
    for span in spans:
        mine = rates.get(span.labeler, ())
        changes = [rate.since for rate in mine]
        for start, end in _cut(span, midnights, changes):
            day = first + timedelta(days=bisect_right(midnights, start) - 1)
            position = bisect_right(changes, start) - 1
            hourly, currency = (mine[position].hourly, mine[position].currency) if position >= 0 else (None, "")
            times[span.labeler, day, span.kind, hourly, currency if hourly is not None else ""] += end - start
    made = [
        Row(labeler, day, kind, spent, hourly, currency)
        for (labeler, day, kind, hourly, currency), spent in times.items()
    ]
    return sorted(made, key=lambda row: (row.labeler, row.day, row.kind, row.hourly or -1, row.currency))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment a day begins, in UTC. Where clocks are put forward over midnight, that moment; where they are put
    back over it, the first of the two."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def total(some: Iterable[Row]) -> Total:
    time, unpaid, amounts = timedelta(), timedelta(), dict[str, Decimal]()
    for row in some:
        time += row.time
        if row.amount is None:
            unpaid += row.time
        else:
            amounts[row.currency] = amounts.get(row.currency, Decimal("0.00")) + row.amount
    return Total(time, unpaid, dict(sorted(amounts.items())))


def _cut(span: Span, midnights: Sequence[datetime], changes: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a span within the period, none of which crosses a midnight or a change of the rate."""
    start, end = max(span.start, midnights[0]), min(span.end, midnights[-1])
    while start < end:
        stop = end
        for edges in (midnights, changes):
            position = bisect_right(edges, start)
            if position < len(edges):
                stop = min(stop, edges[position])
        yield start, stop
        start = stop
