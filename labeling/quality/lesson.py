"""What a labeler is shown after a teaching item: what we chose and why, beside their own order. Only reads."""

from dataclasses import dataclass

from labeling.errors import NotFound
from labeling.quality.models import GoldAnswer
from labeling.queue import dispatch
from labeling.queue.models import Assignment, Control
from labeling.rankings.cards import cards


@dataclass(frozen=True)
class Line:
    """One answer, as it stood on the labeler's page."""

    number: int
    text: str
    ours: int
    theirs: int


@dataclass(frozen=True)
class Lesson:
    """`lines`: best first, as we see it. `alike` of `ordered` pairs that both put in order are ordered alike."""

    gold: GoldAnswer
    lines: list[Line]
    alike: int
    ordered: int


def of(assignment: Assignment) -> Lesson:
    """Raises NotFound where there is nothing to show: another kind of item, or a ranking that is not sent in."""
    item = assignment.item
    gold = GoldAnswer.objects.filter(item_id=item.origin_id).select_related("author").first()
    if item.control != Control.TEACHING or assignment.state != Assignment.State.DONE or gold is None:
        raise NotFound(dispatch.UNKNOWN)
    theirs = dict(assignment.ranking.places.values_list("completion_id", "place"))
    ours = gold.places
    lines = [
        Line(card.number, card.text, ours[card.completion_ids[0]], theirs[card.completion_ids[0]])
        for card in cards(assignment)
    ]
    products = [
        (one.ours - other.ours) * (one.theirs - other.theirs) for one in lines for other in lines[: lines.index(one)]
    ]
    return Lesson(
        gold,
        sorted(lines, key=lambda line: (line.ours, line.number)),
        alike=sum(product > 0 for product in products),
        ordered=sum(product != 0 for product in products),
    )
