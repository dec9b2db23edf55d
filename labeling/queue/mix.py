"""What is mixed into a batch: copies of known items, and what a change of its settings does. Behind dispatch.py."""

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from labeling.queue import line, weights
from labeling.queue.fill import check_settings
from labeling.queue.models import CHECKS, OWN, Batch, Control, Lane, WorkItem, WorkItemCompletion
from labeling.queue.settings import Settings, share


class Copy(NamedTuple):
    """A known item that recurs in a batch, from how many labelers."""

    origin: WorkItem
    control: Control
    need: int


def add_copies(batch: Batch, copies: Iterable[Copy]) -> int:
    """Put copies of known items into the batch, each behind one of its items that is drawn from its seed; how many.

    An origin that has a copy here already is left out, and so is one of another line or of this very batch. Without an
    open item of the batch's own there is no place to hide one in, and nothing is added.
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)  # two who mix at once take turns
        lane = Lane.of(batch.kind, batch.cohort)
        known = set(batch.items.filter(origin__isnull=False).values_list("origin_id", flat=True))
        hosts = list(batch.items.filter(control__in=OWN, is_open=True).order_by("pos").values_list("pk", flat=True))
        dice, added = Random(f"{batch.seed} {len(known)}"), []
        for copy in copies:
            fits = copy.origin.lane == lane and copy.origin.batch_id != batch.pk and copy.origin.pk not in known
            if fits and hosts and (place := weights.place_behind(dice.choice(hosts))):
                known.add(copy.origin.pk)
                added.append(_copied(batch, copy, *place))
        for item in added:
            line.lower_cursors(lane, item.priority, item.pos - 1)
    return len(added)


def _copied(batch: Batch, copy: Copy, priority: int, pos: int) -> WorkItem:
    origin = copy.origin
    item = WorkItem.objects.create(
        batch=batch,
        prompt_id=origin.prompt_id,
        topics=origin.topics,
        authors=origin.authors,
        control=copy.control,
        origin=origin,
        lane=origin.lane,
        priority=priority,
        pos=pos,
        need=copy.need,
    )
    WorkItemCompletion.objects.bulk_create(
        WorkItemCompletion(item=item, completion_id=candidate.completion_id) for candidate in origin.candidates.all()
    )
    return item


def close_checks(batch: Batch) -> int:
    """Give no gold or drift item of this batch to anybody else; how many were open. Who has one may finish it."""
    with transaction.atomic():
        still = WorkItem.objects.filter(batch=batch, control__in=CHECKS, is_open=True)
        begun = still.filter(taken__gte=1).update(is_open=False, need=Greatest(F("taken"), 1))
        return begun + still.filter(taken=0).update(is_open=False, withdrawn_at=timezone.now())


def change_settings(batch: Batch, settings: Settings) -> Batch:
    """The batch with other settings. Raises BadInput for what cannot be.

    A weight moves its open items at once. A higher calibration share or more labelers reach what nobody has been given
    yet; what is lower holds for items that are put in later. The rest is read when a ranking is sent in.
    """
    check_settings(batch.kind, settings)
    with transaction.atomic():
        batch = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        before = batch.settings
        for name, value in vars(settings).items():
            setattr(batch, name, value)
        batch.save(update_fields=list(vars(settings)))
        if settings.calibration_share:
            _calibrate_more(batch)
        if settings.weight != before.weight:
            reweigh(batch)
    return batch


def _calibrate_more(batch: Batch) -> None:
    """Draw as many more of the untouched items as the share now wants."""
    own = WorkItem.objects.filter(batch=batch, control__in=OWN)
    untouched = own.filter(taken=0, is_open=True)
    missing = share(batch.calibration_share, own.count()) - own.filter(control=Control.CALIBRATION).count()
    ordinary = list(untouched.filter(control=Control.ORDINARY).order_by("pk").values_list("pk", flat=True))
    drawn = Random(f"{batch.seed} {missing}").sample(ordinary, min(len(ordinary), max(0, missing)))
    # A claim that has come first leaves `taken` above 0, and the condition is looked at again on its row.
    untouched.filter(pk__in=drawn).update(
        control=Control.CALIBRATION, need=Greatest(F("need"), batch.calibration_labelers)
    )
    untouched.filter(control=Control.CALIBRATION).update(need=Greatest(F("need"), batch.calibration_labelers))


def reweigh(batch: Batch) -> None:
    """Mix the batch's open items anew between those of other batches, by the weights that hold now."""
    lane = Lane.of(batch.kind, batch.cohort)
    for priority in weights.classes(batch, lane):
        weights.to_the_end(batch, lane, priority)
        first = weights.interleave(batch, lane, priority)
        if first is not None:
            line.lower_cursors(lane, priority, first - 1)
