"""Which comparisons recur in each batch. The only writer of DriftItem."""

from django.db import IntegrityError, transaction

from labeling.errors import Conflict
from labeling.labelers.models import User
from labeling.quality.known import check_can_recur
from labeling.quality.models import DriftItem
from labeling.queue.models import WorkItem


def add(researcher: User, item: WorkItem) -> DriftItem:
    """Let this item recur. Raises BadInput where it cannot, Conflict where it does already."""
    check_can_recur(item)
    try:
        with transaction.atomic():
            return DriftItem.objects.create(item=item, added_by=researcher)
    except IntegrityError:
        raise Conflict("This item is a drift item already.") from None


def remove(item: WorkItem) -> None:
    """Let it recur in no further batch. Its copies, and what labelers said of them, stay."""
    DriftItem.objects.filter(item=item).delete()
