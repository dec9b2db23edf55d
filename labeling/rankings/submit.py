"""A labeler's ranking, sent in."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from labeling.errors import BadInput
from labeling.labelers.models import Labeler
from labeling.queue import dispatch
from labeling.queue.models import Kind
from labeling.rankings.cards import Card, cards
from labeling.rankings.models import RankedCompletion, Ranking

LAST_PLACE = 9


def submit(labeler: Labeler, assignment_id: UUID, places: Mapping[int, int]) -> Ranking:
    """Store the ranking and end the lease, both or neither.

    `places` gives every card number its place: 1 is best, equal places are a tie, gaps carry no meaning and are
    closed. Raises BadInput where a card has no place or a place has no card, NotFound and Conflict as
    `dispatch.finish` does.
    """
    with transaction.atomic():
        assignment = dispatch.finish(labeler, assignment_id, Kind.RANK)
        shown = cards(assignment)
        dense = _dense(shown, places)
        ranking = Ranking.objects.create(
            assignment=assignment,
            item=assignment.item,
            labeler=labeler,
            guideline_id=assignment.item.batch.guideline_id,
            rubric_id=assignment.item.batch.rubric_id,
            display_order=assignment.display_order,
        )
        RankedCompletion.objects.bulk_create(
            RankedCompletion(ranking=ranking, completion_id=completion_id, place=dense[card.number])
            for card in shown
            for completion_id in card.completion_ids
        )
    return ranking


def _dense(shown: Sequence[Card], places: Mapping[int, int]) -> dict[int, int]:
    """The places without gaps: {1: 2, 2: 5, 3: 2} becomes {1: 1, 2: 2, 3: 1}."""
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
