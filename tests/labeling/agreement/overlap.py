"""Items that several of the known people rank, through the doors that labelers use."""

from collections.abc import Sequence

from labeling.models import Assignment, Batch, Kind, Labeler, Ranking
from labeling.queue import dispatch
from labeling.rankings.remarks import Remarks
from labeling.rankings.submit import submit


def claimed(labeler: Labeler) -> Assignment:
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None, f"nothing to rank for {labeler}"
    return lease


def numbers(assignment: Assignment) -> list[int]:
    """The card numbers of the completions in the order of their ids: the display is shuffled."""
    number = {completion: at for at, completion in enumerate(assignment.display_order, start=1)}
    return [number[completion] for completion in sorted(assignment.display_order)]


def rank(labeler: Labeler, places: Sequence[int], remarks: Remarks | None = None) -> Ranking:
    """The next item; places, ratings and flags by completion in the order of their ids, whatever the display."""
    lease = claimed(labeler)
    by_id = numbers(lease)
    said = remarks or Remarks()
    shown = Remarks(
        ratings={by_id[at - 1]: rating for at, rating in said.ratings.items()},
        flags={by_id[at - 1]: flags for at, flags in said.flags.items()},
    )
    return submit(labeler, lease.pk, dict(zip(by_id, places, strict=True)), shown)


def ranked_by(batch: Batch, *orders: tuple[Labeler, Sequence[Sequence[int]]]) -> None:
    """Every labeler ranks the batch's items, one after the other."""
    for labeler, all_places in orders:
        assert len(all_places) == batch.items.count()
        for places in all_places:
            rank(labeler, places)
