"""Known items for tests: batches that want them, an origin, and labelers who rank."""

from labeling.models import Batch, Kind, Labeler, Ranking, User, WorkItem
from labeling.quality.answer import answer, shown
from labeling.quality.models import GoldAnswer
from labeling.queue import dispatch
from labeling.queue.settings import PLAIN, Settings
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit
from tests.labeling.queue.test_calibration import fill, mixed_batch

WHY = "The first answers the question; the others do not."
PLACE_OF = {"one": 1, "two": 2, "three": 3, "four": 3}


def with_settings(**changed: float) -> Settings:
    return Settings(**{**vars(PLAIN), **changed})  # type: ignore[arg-type]


def origins(count: int, *, start: int = 500) -> list[WorkItem]:
    """Items of an earlier batch that is closed now."""
    batch = mixed_batch(PLAIN, name="earlier")
    fill(batch, count, start=start)
    batch.items.update(is_open=False)
    return list(batch.items.order_by("pk"))


def new_batch(count: int = 10, *, start: int = 0, **changed: float) -> Batch:
    batch = mixed_batch(with_settings(**changed), name=f"batch {start}")
    fill(batch, count, start=start)
    return batch


def gold(researcher: User, item: WorkItem, mode: str = "silent") -> GoldAnswer:
    places = {card.number: PLACE_OF[card.text] for card in shown(item)}
    return answer(researcher, item, places, WHY, mode)


def rank_all(labeler: Labeler, place_of: dict[str, int] = PLACE_OF) -> list[Ranking]:
    """Everything that is open for them."""
    made = []
    while lease := dispatch.claim(labeler, Kind.RANK):
        made.append(submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)}))
    return made
