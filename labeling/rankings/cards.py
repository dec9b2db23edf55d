"""What a labeler ranks: the texts alone, numbered as they are shown, with nothing that tells where they came from."""

from dataclasses import dataclass

from labeling.completions.models import Completion
from labeling.queue.models import Assignment


@dataclass(frozen=True)
class Card:
    """One text to rank. Identical samples share a card; their ids stay on the server."""

    number: int  # from 1, in display order
    text: str
    completion_ids: tuple[int, ...]


def cards(assignment: Assignment) -> list[Card]:
    """The cards of a ranking assignment in its display order; a text stands where its first sample stands."""
    texts = dict(Completion.objects.filter(pk__in=assignment.display_order).values_list("pk", "text"))
    samples: dict[str, list[int]] = {}
    for completion_id in assignment.display_order:
        samples.setdefault(texts[completion_id].strip(), []).append(completion_id)
    return [Card(number, text, tuple(ids)) for number, (text, ids) in enumerate(samples.items(), start=1)]
