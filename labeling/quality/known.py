"""Known items in batches: gold answers and drift items that a batch's settings ask for, as copies in its line."""

from random import Random

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from labeling.errors import BadInput
from labeling.labelers.models import Labeler
from labeling.quality.models import DriftItem, GoldAnswer
from labeling.queue import dispatch
from labeling.queue.models import OWN, Batch, Control, Kind, Lane, WorkItem
from labeling.queue.settings import share

GOLDEN = (Control.GOLD, Control.TEACHING)
CONTROL = {GoldAnswer.Mode.SILENT: Control.GOLD, GoldAnswer.Mode.TEACHING: Control.TEACHING}


def mix_into(batch: Batch) -> int:
    """Add what the batch's settings ask for and it does not have yet; how many items that was. Twice is the same as
    once. Too few gold answers or drift items are no error: there are as many as there are."""
    if batch.kind != Kind.RANK or not (batch.drift_count or batch.gold_share):
        return 0
    return dispatch.add_copies(batch, _drift(batch)) + dispatch.add_copies(batch, _gold(batch))


def eligible(batch: Batch) -> Q:
    """Origins for this batch, as a condition on whatever has an `item`: of its purpose and line, still good, and from
    another batch. A labeler of one cohort so never gets what was meant for the other."""
    lane = Lane.of(batch.kind, batch.cohort)
    sound = Q(item__withdrawn_at=None, item__held_at=None, item__lane=lane, item__batch__purpose=batch.purpose)
    return sound & ~Q(item__batch=batch)


def _drift(batch: Batch) -> list[dispatch.Copy]:
    """The oldest ones, so that it is the same ones in each batch, once for every labeler who is here."""
    missing = batch.drift_count - batch.items.filter(control=Control.DRIFT).count()
    rows = _fresh(DriftItem.objects.filter(eligible(batch)), batch)[: max(0, missing)]
    need = _everybody(batch)
    return [dispatch.Copy(row.item, Control.DRIFT, need) for row in rows]


def _gold(batch: Batch) -> list[dispatch.Copy]:
    """So many rankings as the share wants, over as many gold items as there are."""
    own = batch.items.filter(withdrawn_at=None, control__in=OWN).aggregate(labels=Coalesce(Sum("need"), 0))
    there = batch.items.filter(control__in=GOLDEN).aggregate(labels=Coalesce(Sum("need"), 0))
    missing = share(batch.gold_share, own["labels"]) - there["labels"]
    rows = list(_fresh(GoldAnswer.objects.filter(eligible(batch), retired_at=None), batch))
    drawn = Random(f"{batch.seed} gold").sample(rows, min(len(rows), max(0, missing)))
    if not drawn:
        return []
    each, over = divmod(missing, len(drawn))
    most = _everybody(batch)
    return [
        dispatch.Copy(row.item, CONTROL[GoldAnswer.Mode(row.mode)], min(most, each + (at < over)))
        for at, row in enumerate(drawn)
    ]


def _fresh(rows: QuerySet, batch: Batch) -> QuerySet:  # type: ignore[type-arg]
    """Those that have no copy in the batch, oldest first."""
    there = batch.items.filter(origin__isnull=False).values("origin_id")
    return rows.exclude(item__in=there).select_related("item").prefetch_related("item__candidates").order_by("pk")


def _everybody(batch: Batch) -> int:
    active = Labeler.objects.filter(cohort=batch.cohort, state=Labeler.State.ACTIVE).count()
    return min(max(1, active), 1000)


def check_can_recur(item: WorkItem) -> None:
    """Raises BadInput where this item cannot be a known one."""
    if item.batch.kind != Kind.RANK:
        raise BadInput("Only an item whose completions are ranked can be a gold or a drift item.")
    if item.origin_id is not None:
        raise BadInput("This item is itself a copy of a known one; choose the one that it repeats.")
    if item.withdrawn_at:
        raise BadInput("This item is withdrawn, so it cannot be given out again.")
    if item.held_at:
        raise BadInput("This item waits for a researcher's look, so it cannot be given out again; release it first.")


def mixed(batch: Batch) -> dict[str, int]:
    """How many items of the batch are there for what, for its page."""
    rows = batch.items.values_list("control").annotate(items=Count("pk")).order_by()
    return {Control(control).label: items for control, items in rows}
