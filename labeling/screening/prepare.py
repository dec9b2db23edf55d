"""A researcher's work on a set before candidates see it: items, the researchers' own answers, opening and closing.

Items and researchers' answers are final from the first opening on: all candidates of a set are asked the same and
held against the same.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers.models import Labeler, User
from labeling.screening import answers, items
from labeling.screening.models import Reference, ScreeningItem, ScreeningSet
from labeling.texts import clean

Kind = ScreeningItem.Kind
ANSWERED_FIRST = (Kind.FLAGS, Kind.RANK)  # by researchers; the rest is graded or read
FINAL = "This set has been opened for candidates, so its items and the researchers' answers are final."


def make(
    by: User, name: str, *, flag_cutoff: int = 75, ranking_cutoff: int = 75, grade_cutoff: Decimal = Decimal(6)
) -> ScreeningSet:
    """A set without items. Raises BadInput for a name that is empty or too long, or a cut-off out of range."""
    name = clean(name, "The name")
    if len(name) > 200:
        raise BadInput("The name has at most 200 characters.")
    if not (0 <= flag_cutoff <= 100 and 0 <= ranking_cutoff <= 100):
        raise BadInput("A cut-off for agreement is between 0 and 100 %.")
    if not 1 <= grade_cutoff <= 7:
        raise BadInput("The cut-off for grades is between 1 and 7.")
    return ScreeningSet.objects.create(
        created_by=by,
        name=name,
        flag_cutoff=flag_cutoff,
        ranking_cutoff=ranking_cutoff,
        grade_cutoff=grade_cutoff.quantize(Decimal("0.01")),
    )


def add(screening_set: ScreeningSet, new: Iterable[items.Item]) -> list[ScreeningItem]:
    """All of these items or, with BadInput or Conflict, none."""
    with transaction.atomic():
        _locked_draft(screening_set)
        rows = [ScreeningItem(screening_set=screening_set, **item._asdict()) for item in new]
        if asked(screening_set).count() + len(rows) > items.MOST_ITEMS:
            raise BadInput(f"A set has at most {items.MOST_ITEMS} items; nothing was added.")
        return ScreeningItem.objects.bulk_create(rows)


def remove(item: ScreeningItem) -> None:
    """Not asked any more; it can be put back. Raises Conflict once the set was open."""
    with transaction.atomic():
        _locked_draft(item.screening_set)
        ScreeningItem.objects.filter(pk=item.pk, removed_at=None).update(removed_at=timezone.now())


def put_back(item: ScreeningItem) -> None:
    """Asked again, in its old place, with the answers it had. Raises Conflict once the set was open."""
    with transaction.atomic():
        _locked_draft(item.screening_set)
        ScreeningItem.objects.filter(pk=item.pk).update(removed_at=None)


def asked(screening_set: ScreeningSet) -> QuerySet[ScreeningItem]:
    """The items of a set in the order in which everybody sees them."""
    return ScreeningItem.objects.filter(screening_set=screening_set, removed_at=None).order_by("pk")


def answered_first(screening_set: ScreeningSet) -> list[ScreeningItem]:
    """The items that researchers answer before the set is opened."""
    return list(asked(screening_set).filter(kind__in=ANSWERED_FIRST))


def refer(researcher: User, item: ScreeningItem, posted: Mapping[str, Any]) -> Reference:
    """A researcher's answer; a second one takes the place of their first.

    Raises BadInput for one that is not whole, Conflict once the set was open, NotAllowed for somebody who is screened
    themselves.
    """
    if Labeler.objects.filter(user=researcher, state=Labeler.State.SCREENING).exists():
        raise NotAllowed("You are in screening yourself, so others give the researchers' answers.")
    value = answers.read(item.kind, item.parts, posted)
    if lacking := answers.missing(item.kind, value):
        raise BadInput(lacking)
    with transaction.atomic():
        _locked_draft(item.screening_set)
        row, _ = Reference.objects.update_or_create(
            item=item, researcher=researcher, defaults={"value": value, "answered_at": timezone.now()}
        )
    return row


def why_not_open(screening_set: ScreeningSet) -> str:
    """Why candidates cannot be given this set yet, as a sentence; empty where nothing is in the way."""
    if not asked(screening_set).exists():
        return "The set has no items yet."
    waiting = asked(screening_set).filter(kind__in=ANSWERED_FIRST, references=None).count()
    if waiting:
        what = "item waits" if waiting == 1 else "items wait"
        return f"{waiting} {what} for a researcher's answer: candidates are held against these answers."
    return ""


def open_set(screening_set: ScreeningSet) -> None:
    """From now on candidates are given this set; one that was closed may be opened again.

    Raises Conflict where researchers have not answered everything, where it is open already or another one is.
    """
    try:
        with transaction.atomic():
            row = _locked(screening_set)
            if row.is_open:
                raise Conflict("This set is open already.")
            if reason := why_not_open(row):
                raise Conflict(reason)
            row.is_open, row.closed_at, row.opened_at = True, None, row.opened_at or timezone.now()
            row.save(update_fields=["is_open", "closed_at", "opened_at"])
    except IntegrityError:
        raise Conflict("Another set is open. Close it first: all candidates are given the same one.") from None


def close(screening_set: ScreeningSet) -> None:
    """Nothing more is taken from candidates; what they wrote is kept. Raises Conflict where it is not open."""
    changed = ScreeningSet.objects.filter(pk=screening_set.pk, is_open=True)
    if not changed.update(is_open=False, closed_at=timezone.now()):
        raise Conflict("This set is not open.")


def _locked(screening_set: ScreeningSet) -> ScreeningSet:
    return ScreeningSet.objects.select_for_update().get(pk=screening_set.pk)


def _locked_draft(screening_set: ScreeningSet) -> ScreeningSet:
    """Locked, so that nothing is added or answered while somebody opens the set."""
    row = _locked(screening_set)
    if row.opened_at:
        raise Conflict(FINAL)
    return row
