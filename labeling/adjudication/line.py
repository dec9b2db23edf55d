"""The adjudication queue: items that several labelers ranked, the worst disagreement first. Only reads."""

from typing import NamedTuple

from django.utils import timezone

from labeling.adjudication.models import Adjudication
from labeling.agreement import items, rows
from labeling.agreement.items import ItemLine
from labeling.agreement.known import known
from labeling.agreement.rows import Filters


class Waiting(NamedTuple):
    """`lines`: those that nobody has decided and on which some pair of completions is ordered both ways; `decided`:
    how many are; `agreed`: how many need nobody."""

    lines: list[ItemLine]
    decided: int
    agreed: int


def waiting(filters: Filters) -> Waiting:
    decided = set(Adjudication.objects.filter(decision__isnull=False).values_list("item_id", flat=True))
    lines = _lines(filters)
    apart = [line for line in lines if line.alike < line.ordered]
    return Waiting(
        [line for line in apart if line.item not in decided],
        sum(line.item in decided for line in lines),
        len(lines) - len(apart),
    )


def held() -> dict[int, Adjudication]:
    """By item, what somebody is at now."""
    at_work = Adjudication.objects.filter(held_until__gte=timezone.now()).select_related("held_by")
    return {row.item_id: row for row in at_work}


def _lines(filters: Filters) -> list[ItemLine]:
    """As the agreement pages list them; kept by the version of the data, since all are compared for one page."""
    listed = rows.listed(filters)
    return known("lines", listed.version, lambda: items.lines(rows.read(filters, listed)))
