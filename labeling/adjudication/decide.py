"""One adjudicator at a time takes an item, decides, and may change their mind. The only writer of decisions.

An item is held for HOLD by who took it; a conditional UPDATE lets one of two through. A decision names the revision it
was made upon, and (item, revision) is unique: of two words at the same moment one is stored, the other is told so.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from labeling.adjudication import taxonomy
from labeling.adjudication.models import Adjudication, Decision
from labeling.errors import BadInput, Conflict
from labeling.labelers.models import User
from labeling.queue.models import Kind, WorkItem
from labeling.rankings.models import RankedCompletion, Ranking

HOLD = timedelta(minutes=30)
LONGEST_REASON = 5000
NOT_YOURS = "You do not hold this item any more; take it again."
MOVED_ON = "Somebody has decided this item since you opened the page. Look at their decision, then revise it."


def take(user: User, item: WorkItem) -> Adjudication:
    """Hold the item for HOLD; again for who holds it. Raises Conflict where somebody else does, BadInput for an item
    that fewer than two labelers ranked."""
    if item.batch.kind != Kind.RANK or item.rankings.count() < 2:
        raise BadInput("Fewer than 2 labelers ranked this item, so there is nothing to decide between.")
    Adjudication.objects.get_or_create(item=item)
    now = timezone.now()
    free = Q(held_by=None) | Q(held_by=user) | Q(held_until__lt=now)
    taken = Adjudication.objects.filter(free, item=item).update(held_by=user, held_until=now + HOLD)
    there = Adjudication.objects.select_related("held_by").get(item=item)
    if not taken:
        who, until = there.held_by or "Somebody", there.held_until or now
        raise Conflict(f"{who} is at this item until {until:%H:%M} UTC, or until they give it back.")
    return there


def give_back(user: User, item: WorkItem) -> None:
    """Undecided, for others. Nothing happens where this user does not hold it."""
    Adjudication.objects.filter(item=item, held_by=user).update(held_by=None, held_until=None)


def decide(
    user: User,
    item: WorkItem,
    *,
    base: int,
    reason: str,
    errors: Iterable[str],
    ranking: int | None = None,
    places: Mapping[int, int] | None = None,
) -> Decision:
    """Store a decision: a labeler's `ranking` (its id), or `places` by completion id, 1 the best, equal ones a tie.

    `base`: the revision that was on the page. Raises BadInput for an order that is not whole or without reason,
    Conflict where the item is not held by this user or was decided meanwhile.
    """
    said = _reason(reason)
    chosen = taxonomy.check(errors)
    if (ranking is None) == (places is None):
        raise BadInput("Choose one of the labelers' orders, or give an order of your own.")
    order = _whole(item, places) if ranking is None else _order_of(item, ranking)
    with transaction.atomic():
        revision = _next(user, item, base)
        decision = _stored(
            item, revision, user, said, errors=chosen, taken_from_id=ranking, places=sorted(order.items())
        )
        Adjudication.objects.filter(item=item).update(decision=decision, held_by=None, held_until=None)
    return decision


def withdraw(user: User, item: WorkItem, *, base: int, reason: str) -> Decision:
    """Take the decision back: the item waits in the queue again, and the history keeps both words."""
    said = _reason(reason)
    with transaction.atomic():
        there = Adjudication.objects.select_for_update().filter(item=item).first()
        if there is None or there.decision_id is None:
            raise Conflict("Nothing is decided here that could be taken back.")
        now = timezone.now()
        if there.held_by_id not in (None, user.pk) and there.held_until and there.held_until >= now:
            raise Conflict("Somebody else is revising this decision just now.")
        if there.revisions != base:
            raise Conflict(MOVED_ON)
        word = _stored(item, base + 1, user, said, is_withdrawal=True)
        Adjudication.objects.filter(item=item).update(decision=None, revisions=base + 1, held_by=None, held_until=None)
    return word


def history(item: WorkItem) -> list[Decision]:
    """Every word on the item, the newest first."""
    return list(Decision.objects.filter(item=item).select_related("made_by", "taken_from__labeler"))


def _next(user: User, item: WorkItem, base: int) -> int:
    """The next revision's number, for who holds the item and saw the last one. Locks the item's row."""
    held = Adjudication.objects.filter(item=item, held_by=user, held_until__gte=timezone.now())
    if held.filter(revisions=base).update(revisions=F("revisions") + 1):
        return base + 1
    raise Conflict(MOVED_ON if held.exists() else NOT_YOURS)


def _stored(item: WorkItem, revision: int, user: User, reason: str, **fields: object) -> Decision:
    try:
        with transaction.atomic():
            return Decision.objects.create(item=item, revision=revision, made_by=user, reason=reason, **fields)
    except IntegrityError:
        raise Conflict(MOVED_ON) from None


def _reason(reason: str) -> str:
    said = reason.replace("\x00", "").strip()
    if not said:
        raise BadInput("Say why in a sentence or two: the next person with such an item reads it.")
    if len(said) > LONGEST_REASON:
        raise BadInput(f"The reason has {len(said):,} characters; at most {LONGEST_REASON:,} fit.")
    return said


def _order_of(item: WorkItem, ranking: int) -> dict[int, int]:
    if not Ranking.objects.filter(pk=ranking, item=item).exists():
        raise BadInput("This order is not one of the item's.")
    return dict(RankedCompletion.objects.filter(ranking_id=ranking).values_list("completion_id", "place"))


def _whole(item: WorkItem, places: Mapping[int, int] | None) -> dict[int, int]:
    """The places without gaps. Raises BadInput where one is missing or does not belong here."""
    assert places is not None  # decide looked
    there = set(item.candidates.values_list("completion_id", flat=True))
    if set(places) - there:
        raise BadInput("The order names a completion that does not belong to this item.")
    if missing := len(there - set(places)):
        raise BadInput(
            f"{missing} completion{'s have' if missing > 1 else ' has'} no place yet; equal places are fine."
        )
    if any(not 1 <= place <= 9 for place in places.values()):
        raise BadInput("Places go from 1 (best) to 9.")
    dense = {place: at for at, place in enumerate(sorted(set(places.values())), start=1)}
    return {completion: dense[place] for completion, place in places.items()}
