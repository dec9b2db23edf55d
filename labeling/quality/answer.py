"""A researcher's answer to an item: what we chose, and why. The only writer of GoldAnswer."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.quality.known import check_can_recur
from labeling.quality.models import GoldAnswer
from labeling.queue.models import Assignment, WorkItem
from labeling.rankings.cards import Card, cards
from labeling.rankings.submit import dense_places
from labeling.texts import clean


def shown(item: WorkItem) -> list[Card]:
    """The item's cards, in an order that is the same for every researcher."""
    ids = sorted(item.candidates.values_list("completion_id", flat=True))
    return cards(Assignment(item=item, display_order=ids))


def answer(
    researcher: User, item: WorkItem, places: Mapping[int, int], explanation: str, mode: str, base: int = 0
) -> GoldAnswer:
    """Store the researcher's order of the item's cards, with its reason, in the place of revision `base` (0: none).

    Raises BadInput where a card has no place or a place has no card, without an explanation, for an unknown mode, and
    for an item that cannot be given out again; Conflict where another researcher has answered or changed it first.
    """
    check_can_recur(item)
    if mode not in GoldAnswer.Mode.values:
        raise BadInput(f"A gold item is {' or '.join(GoldAnswer.Mode.values)}, not “{mode[:30]}”.")
    on_page = shown(item)
    dense = dense_places(on_page, places)
    ranks = {pk: dense[card.number] for card in on_page for pk in card.completion_ids}
    said = {
        "completions": sorted(ranks),
        "ranks": [ranks[pk] for pk in sorted(ranks)],
        "explanation": clean(explanation, "The explanation"),
        "mode": mode,
        "author": researcher,
    }
    return _change(item, said, base) if base else _create(item, said)


def _create(item: WorkItem, said: dict[str, object]) -> GoldAnswer:
    try:
        with transaction.atomic():
            return GoldAnswer.objects.create(item=item, **said)
    except IntegrityError:  # the item's answer is unique: two who answer at once
        theirs = GoldAnswer.objects.select_related("author").filter(item=item).first()
        raise _came_first(theirs) from None


def _change(item: WorkItem, said: dict[str, object], base: int) -> GoldAnswer:
    known = GoldAnswer.objects.filter(item=item)
    changed = known.filter(revision=base).update(**said, revision=base + 1, changed_at=timezone.now())
    gold = known.select_related("author").first()
    if not changed or gold is None:
        raise _came_first(gold)
    return gold


def _came_first(theirs: GoldAnswer | None) -> Conflict:
    who = theirs.author if theirs else "Somebody"
    return Conflict(f"{who} has answered this item meanwhile, and that answer was kept. Yours is still on the page.")


def retire(gold: GoldAnswer) -> None:
    """Mix it into no further batch. What was given out stays."""
    GoldAnswer.objects.filter(pk=gold.pk, retired_at=None).update(retired_at=timezone.now())


def revive(gold: GoldAnswer) -> None:
    """Mix it into batches again. Raises BadInput where its item cannot be given out any more."""
    check_can_recur(gold.item)
    GoldAnswer.objects.filter(pk=gold.pk).update(retired_at=None)
