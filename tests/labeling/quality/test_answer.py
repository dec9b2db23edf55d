"""A researcher's answer: what is refused, and what happens when two answer at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from labeling.errors import BadInput, Conflict
from labeling.models import GoldAnswer, Role, User, WorkItem
from labeling.quality.answer import answer, shown
from labeling.queue.settings import PLAIN
from tests.labeling.quality.known import WHY, origins
from tests.labeling.queue.test_calibration import fill, mixed_batch
from tests.people import make_user
from tests.work import writing_work

IN_ORDER = {1: 1, 2: 2, 3: 3, 4: 4}


@pytest.fixture
def item(db: None) -> WorkItem:
    return origins(1)[0]


def test_ranks_are_kept_by_completion_without_gaps(researcher: User, item: WorkItem) -> None:
    ids = [card.completion_ids[0] for card in shown(item)]
    gold = answer(researcher, item, {1: 7, 2: 2, 3: 7, 4: 9}, f"  {WHY}\r\n", "teaching")
    gold.refresh_from_db()
    assert gold.places == dict(zip(ids, [2, 1, 2, 3], strict=True))
    assert (gold.explanation, gold.mode, gold.author, gold.revision) == (WHY, "teaching", researcher, 1)


def test_identical_samples_share_a_rank(researcher: User) -> None:
    fill(mixed_batch(PLAIN), 1, texts=("yes", "no", "yes ", "maybe"))
    item = WorkItem.objects.get()
    gold = answer(researcher, item, {1: 1, 2: 3, 3: 2}, WHY, "silent")
    assert gold.ranks == [1, 3, 1, 2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"places": {1: 1, 2: 2, 3: 3}}, "Card 4 has no place yet"),
        ({"places": {}}, "Cards 1, 2, 3, 4 have no place"),
        ({"places": {**IN_ORDER, 5: 5}}, "There is no card 5 here"),
        ({"places": {**IN_ORDER, 4: 10}}, "places go from 1"),
        ({"explanation": "  "}, "explanation"),
        ({"explanation": "a\0b"}, "NUL"),
        ({"mode": "loud"}, "silent or teaching, not “loud”"),
    ],
)
def test_what_cannot_be_an_answer(researcher: User, item: WorkItem, change: dict[str, object], sentence: str) -> None:
    good: dict[str, object] = {"places": IN_ORDER, "explanation": WHY, "mode": "silent"}
    with pytest.raises(BadInput, match=sentence):
        answer(researcher, item, **{**good, **change})  # type: ignore[arg-type]
    assert not GoldAnswer.objects.exists()


def test_only_rankings_can_be_gold(researcher: User, db: None) -> None:
    writing_work(1)
    with pytest.raises(BadInput, match="Only an item whose completions are ranked"):
        answer(researcher, WorkItem.objects.get(), {}, WHY, "silent")


def test_a_change_names_the_answer_that_it_knows(researcher: User, item: WorkItem) -> None:
    other = make_user("rita", Role.RESEARCHER)
    answer(researcher, item, IN_ORDER, WHY, "silent")
    changed = answer(other, item, IN_ORDER, "Better said.", "teaching", base=1)
    assert (changed.revision, changed.author, changed.mode) == (2, other, "teaching")
    for base in (0, 1):
        with pytest.raises(Conflict, match="Rita has answered this item meanwhile"):
            answer(researcher, item, IN_ORDER, "From an old page.", "silent", base=base)
    assert GoldAnswer.objects.get().explanation == "Better said."


@pytest.fixture
def two_researchers(transactional_db: None) -> Iterator[list[User]]:
    yield [make_user(name, Role.RESEARCHER) for name in ("rosa", "rita")]


@pytest.mark.parametrize("base", [0, 1])
def test_two_who_answer_at_once(two_researchers: list[User], base: int) -> None:
    """One answer is kept whole; the other researcher is told, and may send theirs again."""
    for item in origins(8):
        if base:
            answer(two_researchers[0], item, IN_ORDER, "The first word.", "silent")
        start = Barrier(2)

        def send(who: User, item: WorkItem = item, start: Barrier = start) -> GoldAnswer | Conflict:
            try:
                start.wait(10)
                return answer(who, item, IN_ORDER, f"{who} says so.", "silent", base=base)
            except Conflict as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(send, two_researchers))
        kept = GoldAnswer.objects.get(item=item)
        assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
        assert kept.explanation == f"{kept.author} says so."
        assert kept.revision == base + 1
