"""A labeler's ranking, sent in or corrected."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.models import Labeler
from labeling.queue import dispatch, drafts
from labeling.queue.models import Control, Kind, WorkItem
from labeling.rankings.cards import Card, cards
from labeling.rankings.disagreement import opposed
from labeling.rankings.models import RankedCompletion, Ranking
from labeling.rankings.remarks import Remarks, check, moved

LAST_PLACE = 9
SEEN = "You have seen our answer to this piece, so your ranking stays as you sent it in."


def submit(labeler: Labeler, assignment_id: UUID, places: Mapping[int, int], remarks: Remarks | None = None) -> Ranking:
    """Store the ranking and end the lease, both or neither.

    `places` gives every card number its place: 1 is best, equal places are a tie, gaps carry no meaning and are
    closed. Raises BadInput where a card has no place or a place has no card or a remark does not fit the batch's
    rubric, NotFound and Conflict as `dispatch.finish` does.
    """
    with transaction.atomic():
        assignment = dispatch.finish(labeler, assignment_id, Kind.RANK)
        batch = assignment.item.batch
        shown = cards(assignment)
        said = check(remarks or Remarks(), batch.rubric, shown)
        dense = dense_places(shown, places)
        ranking = Ranking.objects.create(
            assignment=assignment,
            item=assignment.item,
            labeler=labeler,
            guideline_id=batch.guideline_id,
            rubric_id=batch.rubric_id,
            display_order=assignment.display_order,
            **_of_the_whole(said),
        )
        RankedCompletion.objects.bulk_create(_rows(ranking, shown, dense, said))
        # The item is locked: what it says of `done` is from before this label, and nobody adds to it.
        _ask_one_more(assignment.item, shown, done=assignment.item.done + 1)
    return ranking


def _ask_one_more(item: WorkItem, shown: Sequence[Card], *, done: int) -> None:
    """Where the last label that was wanted leaves labelers in disagreement, one more is wanted. The item is locked."""
    if not 1 < done == item.need < item.batch.most_labelers:
        return
    rankings: dict[int, dict[int, int]] = {}
    firsts = [card.completion_ids[0] for card in shown]  # identical samples are one answer
    placed = RankedCompletion.objects.filter(ranking__item=item, completion__in=firsts)
    for ranking, completion, place in placed.values_list("ranking_id", "completion_id", "place"):
        rankings.setdefault(ranking, {})[completion] = place
    if opposed(list(rankings.values())) > item.batch.opposed_share:
        dispatch.ask_one_more(item)


def correct(
    labeler: Labeler, assignment_id: UUID, places: Mapping[int, int], remarks: Remarks | None = None
) -> Ranking:
    """Put another order in the place of the one that was sent in; what it said before is kept in `earlier`.

    Where labelers come to disagree by it, one more is wanted as after a new label. Raises NotFound for a ranking that
    is not this labeler's, Conflict once it is part of a dataset or they have seen our answer, BadInput as `submit`
    does.
    """
    with transaction.atomic():
        mine = Ranking.objects.filter(assignment_id=assignment_id, labeler=labeler)
        # The item first, as whoever sends a ranking in does: else two could wait for each other.
        items = WorkItem.objects.select_for_update(of=("self",), no_key=True).select_related("batch")
        item = items.filter(pk__in=mine.values("item")).first()
        if item is None:
            raise NotFound(dispatch.UNKNOWN)
        # This lock waits for a freeze that is just reading the row; afterwards `frozen_at` tells.
        ranking = mine.select_for_update(of=("self",)).select_related("assignment", "rubric", "item").get()
        if ranking.item.control == Control.TEACHING:
            raise Conflict(SEEN)
        if ranking.frozen_at:
            raise Conflict(f"This ranking became part of a dataset on {ranking.frozen_at:%d %B %Y} and stays as it is.")
        shown = cards(ranking.assignment)
        said = check(remarks or Remarks(), ranking.rubric, shown)
        dense = dense_places(shown, places)
        ranking.earlier = [*ranking.earlier, _as_it_was(ranking)]
        ranking.corrected_at = timezone.now()
        changes = _of_the_whole(said)
        for name, value in changes.items():
            setattr(ranking, name, value)
        ranking.save(update_fields=["earlier", "corrected_at", *changes])
        ranking.places.all().delete()
        RankedCompletion.objects.bulk_create(_rows(ranking, shown, dense, said))
        drafts.spend(assignment_id)
        _ask_one_more(item, shown, done=item.done)
    return ranking


def _of_the_whole(said: Remarks) -> dict[str, Any]:
    return {
        "none_acceptable": said.none_acceptable,
        "reasons": list(said.reasons),
        "rationale": said.rationale,
    }


def _rows(ranking: Ranking, shown: Sequence[Card], dense: Mapping[int, int], said: Remarks) -> list[RankedCompletion]:
    return [
        RankedCompletion(
            ranking=ranking,
            completion_id=completion_id,
            place=dense[card.number],
            rating=said.ratings.get(card.number),
            flags=list(said.flags.get(card.number, [])),
            spans=[moved(span, shift) for span in said.spans.get(card.number, [])],
        )
        for card in shown
        for completion_id, shift in zip(card.completion_ids, card.shifts, strict=True)
    ]


def _as_it_was(ranking: Ranking) -> dict[str, Any]:
    fields = ("completion_id", "place", "rating", "flags", "spans")
    return {
        "until": timezone.now().isoformat(),
        "none_acceptable": ranking.none_acceptable,
        "reasons": ranking.reasons,
        "rationale": ranking.rationale,
        "places": list(ranking.places.order_by("completion_id").values(*fields)),
    }


def dense_places(shown: Sequence[Card], places: Mapping[int, int]) -> dict[int, int]:
    """The places without gaps: {1: 2, 2: 5, 3: 2} becomes {1: 1, 2: 2, 3: 1}.

    Raises BadInput unless every card has one.
    """
    numbers = [card.number for card in shown]
    if unknown := sorted(set(places) - set(numbers)):
        raise BadInput(f"There is no card {unknown[0]} here; the cards are 1 to {len(numbers)}.")
    missing = [str(number) for number in numbers if number not in places]
    if missing:
        which = f"Card {missing[0]} has" if len(missing) == 1 else f"Cards {', '.join(missing)} have"
        raise BadInput(f"{which} no place yet. Give every card a place; equal places are fine.")
    for number in numbers:
        if not 1 <= places[number] <= LAST_PLACE:
            raise BadInput(f"Card {number} has the place {places[number]}; places go from 1 (best) to {LAST_PLACE}.")
    dense = {place: index for index, place in enumerate(sorted(set(places.values())), start=1)}
    return {number: dense[places[number]] for number in numbers}
