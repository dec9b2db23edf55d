"""An item and what was said to it, as its page shows them: the same page for candidates and researchers."""

from typing import Any

from labeling.screening import answers
from labeling.screening.models import ScreeningItem
from labeling.screening.sit import shown_order

TITLES = {
    ScreeningItem.Kind.FLAGS: "What holds of this text?",
    ScreeningItem.Kind.RANK: "Which answer is better?",
    ScreeningItem.Kind.WRITE: "Write the answer that an assistant should give",
    ScreeningItem.Kind.REPORT: "A question about you",
}


def step_context(item: ScreeningItem, value: answers.Value, who: object) -> dict[str, Any]:
    """`who` decides the order in which completions are shown."""
    said = [(index, part, value[index]) for index, part in enumerate(item.parts)]
    if item.kind == ScreeningItem.Kind.RANK:
        said = [said[index] for index in shown_order(item, who)]
    return {
        "item": item,
        "title": TITLES[ScreeningItem.Kind(item.kind)],
        "parts": said,
        "places": range(1, len(item.parts) + 1),
        "text": value if isinstance(value, str) else "",
    }
