"""Deciding an item: what is stored, what is refused, and two people at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from labeling.adjudication import decide, line, taxonomy
from labeling.adjudication.models import Adjudication, Decision, ErrorKind
from labeling.agreement.rows import Filters
from labeling.errors import BadInput, Conflict
from labeling.models import Labeler, Ranking, Role, User, WorkItem
from tests.labeling.agreement.overlap import ranked_by
from tests.people import make_user
from tests.work import ranking_work

IN_ORDER, REVERSED = [1, 2, 3, 4], [4, 3, 2, 1]
SAID: dict[str, Any] = {"base": 0, "reason": "The second is wrong.", "errors": ["taste"]}


@pytest.fixture
def item(labeler: Labeler, second_labeler: Labeler) -> WorkItem:
    """One item that two labelers ranked the other way round."""
    batch = ranking_work(1, need=2)
    ranked_by(batch, (labeler, [IN_ORDER]), (second_labeler, [REVERSED]))
    return batch.items.get()


def ids(item: WorkItem) -> list[int]:
    return sorted(item.candidates.values_list("completion_id", flat=True))


@pytest.mark.django_db
def test_one_of_theirs(item: WorkItem, researcher: User, second_labeler: Labeler) -> None:
    decide.take(researcher, item)
    theirs = Ranking.objects.get(item=item, labeler=second_labeler)
    decision = decide.decide(researcher, item, ranking=theirs.pk, **SAID)
    assert decision.place_of == dict(zip(ids(item), REVERSED, strict=True))
    assert (decision.revision, decision.taken_from, decision.errors) == (1, theirs, ["taste"])
    state = Adjudication.objects.get()
    assert (state.decision, state.held_by, state.revisions) == (decision, None, 1)
    assert Ranking.objects.filter(item=item).count() == 2  # nobody's label is replaced


@pytest.mark.django_db
def test_an_own_order_closes_its_gaps(item: WorkItem, researcher: User) -> None:
    decide.take(researcher, item)
    places = dict(zip(ids(item), [2, 2, 7, 9], strict=True))
    decision = decide.decide(researcher, item, places=places, **SAID)
    assert [decision.place_of[pk] for pk in ids(item)] == [1, 1, 2, 3]
    assert decision.taken_from is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 5001}, "at most 5,000"),
        ({"errors": []}, "Say what went wrong"),
        ({"errors": ["no-such"]}, "“no-such” is not on the list"),
        ({"places": None}, "Choose one of the labelers' orders"),
        ({"places": {}}, "4 completions have no place yet"),
        ({"places": None, "ranking": 999_999}, "not one of the item's"),
    ],
)
def test_what_is_refused(item: WorkItem, researcher: User, change: dict[str, Any], sentence: str) -> None:
    decide.take(researcher, item)
    said = {**SAID, "places": dict.fromkeys(ids(item), 1), **change}
    with pytest.raises(BadInput, match=sentence):
        decide.decide(researcher, item, **said)
    assert not Decision.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("place", "sentence"), [(0, "from 1"), (10, "to 9")])
def test_places_outside_of_the_range_are_refused(item: WorkItem, researcher: User, place: int, sentence: str) -> None:
    decide.take(researcher, item)
    with pytest.raises(BadInput, match=sentence):
        decide.decide(researcher, item, places=dict.fromkeys(ids(item), place), **SAID)


@pytest.mark.django_db
def test_a_completion_of_another_item_is_refused(item: WorkItem, researcher: User) -> None:
    decide.take(researcher, item)
    with pytest.raises(BadInput, match="does not belong to this item"):
        decide.decide(researcher, item, places=dict.fromkeys([*ids(item), 10**6], 1), **SAID)


@pytest.mark.django_db
def test_an_item_of_one_labeler_cannot_be_taken(labeler: Labeler, researcher: User) -> None:
    batch = ranking_work(1, need=2)
    ranked_by(batch, (labeler, [IN_ORDER]))
    with pytest.raises(BadInput, match="Fewer than 2 labelers"):
        decide.take(researcher, batch.items.get())


@pytest.mark.django_db
def test_one_at_a_time(item: WorkItem, researcher: User, admin_user: User) -> None:
    decide.take(researcher, item)
    decide.take(researcher, item)  # again for who holds it
    with pytest.raises(Conflict, match="Rosa is at this item until"):
        decide.take(admin_user, item)
    with pytest.raises(Conflict, match="You do not hold this item"):
        decide.decide(admin_user, item, places=dict.fromkeys(ids(item), 1), **SAID)
    decide.give_back(admin_user, item)  # not theirs to give back
    assert set(line.held()) == {item.pk}
    decide.give_back(researcher, item)
    assert line.held() == {}
    decide.take(admin_user, item)


@pytest.mark.django_db
def test_a_hold_ends_by_itself_and_what_comes_late_is_refused(
    item: WorkItem, researcher: User, admin_user: User
) -> None:
    decide.take(researcher, item)
    Adjudication.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="You do not hold this item any more"):
        decide.decide(researcher, item, places=dict.fromkeys(ids(item), 1), **SAID)
    decide.take(admin_user, item)
    assert decide.decide(admin_user, item, places=dict.fromkeys(ids(item), 1), **SAID).revision == 1


@pytest.mark.django_db
def test_a_revision_keeps_what_was_said_before(item: WorkItem, researcher: User, admin_user: User) -> None:
    decide.take(researcher, item)
    first = decide.decide(researcher, item, places=dict.fromkeys(ids(item), 1), **SAID)
    decide.take(admin_user, item)
    with pytest.raises(Conflict, match="since you opened the page"):
        decide.decide(admin_user, item, places=dict.fromkeys(ids(item), 1), **SAID)
    second = decide.decide(
        admin_user, item, places=dict(zip(ids(item), IN_ORDER, strict=True)), **{**SAID, "base": 1, "reason": "No."}
    )
    assert decide.history(item) == [second, first]
    assert Adjudication.objects.get().decision == second
    first.refresh_from_db()
    assert (first.reason, first.made_by) == ("The second is wrong.", researcher)


@pytest.mark.django_db
def test_a_decision_that_is_taken_back_leaves_the_item_waiting(item: WorkItem, researcher: User) -> None:
    with pytest.raises(Conflict, match="Nothing is decided"):
        decide.withdraw(researcher, item, base=0, reason="A slip.")
    decide.take(researcher, item)
    decide.decide(researcher, item, places=dict.fromkeys(ids(item), 1), **SAID)
    assert [one.item for one in line.waiting(Filters()).lines] == []
    assert line.waiting(Filters()).decided == 1
    with pytest.raises(Conflict, match="since you opened the page"):
        decide.withdraw(researcher, item, base=0, reason="A slip.")
    word = decide.withdraw(researcher, item, base=1, reason="A slip.")
    assert (word.is_withdrawal, word.revision, word.places) == (True, 2, [])
    assert [one.item for one in line.waiting(Filters()).lines] == [item.pk]
    decide.take(researcher, item)
    again = decide.decide(researcher, item, places=dict.fromkeys(ids(item), 1), **{**SAID, "base": 2})
    assert again.revision == 3


@pytest.mark.django_db
def test_nobody_takes_back_what_somebody_else_revises(item: WorkItem, researcher: User, admin_user: User) -> None:
    decide.take(researcher, item)
    decide.decide(researcher, item, places=dict.fromkeys(ids(item), 1), **SAID)
    decide.take(admin_user, item)
    with pytest.raises(Conflict, match="Somebody else is revising"):
        decide.withdraw(researcher, item, base=1, reason="A slip.")


@pytest.mark.django_db
def test_the_worst_waits_first_and_what_is_agreed_waits_not(labeler: Labeler, second_labeler: Labeler) -> None:
    """Agreed; one of six pairs turned around; all of them."""
    batch = ranking_work(3, need=2)
    ranked_by(batch, (labeler, [IN_ORDER] * 3), (second_labeler, [IN_ORDER, [2, 1, 3, 4], REVERSED]))
    waiting = line.waiting(Filters())
    assert [(one.alike, one.ordered) for one in waiting.lines] == [(0, 6), (5, 6)]
    assert (waiting.decided, waiting.agreed) == (0, 1)


@pytest.mark.django_db
def test_the_list_of_what_goes_wrong_may_be_changed() -> None:
    assert [kind.key for kind in taxonomy.offered()][:2] == ["misread-prompt", "guideline-unclear"]
    made = taxonomy.add("  Too   long ", "The longest was put first.")
    assert (made.key, made.label) == ("too-long", "Too long")
    with pytest.raises(Conflict, match="on the list already"):
        taxonomy.add("Too long")
    with pytest.raises(BadInput, match="needs a name"):
        taxonomy.add("!?")
    assert taxonomy.check(["too-long", "taste", "taste"]) == ["taste", "too-long"]
    taxonomy.retire("taste")
    with pytest.raises(BadInput, match="“taste” is not on the list"):
        taxonomy.check(["taste"])
    assert taxonomy.labels()["taste"] == "Taste"  # decisions that name it keep its name
    taxonomy.offer_again("taste")
    assert taxonomy.check(["taste"]) == ["taste"]
    ErrorKind.objects.exclude(pk="taste").update(retired_at=timezone.now())
    with pytest.raises(Conflict, match="the last kind"):
        taxonomy.retire("taste")


def all_at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What the works gave or raised, started behind one barrier, each on its own connection."""
    barrier = Barrier(len(works))

    def started(work: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(started, works))


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_an_item_at_once_one_gets_it(item: WorkItem) -> None:
    people = [make_user(f"person-{number}", Role.RESEARCHER) for number in range(6)]
    for _ in range(5):
        Adjudication.objects.update(held_by=None, held_until=None)
        answers = all_at_once([lambda user=user: decide.take(user, item) for user in people])  # type: ignore[misc]
        assert sum(isinstance(answer, Adjudication) for answer in answers) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == 5


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_that_decide_at_once_one_is_stored(item: WorkItem) -> None:
    user = make_user("rosa", Role.RESEARCHER)
    taxonomy.known()
    for base in range(5):
        decide.take(user, item)
        said = {**SAID, "base": base, "places": dict.fromkeys(ids(item), 1)}
        answers = all_at_once([lambda said=said: decide.decide(user, item, **said)] * 3)  # type: ignore[misc]
        assert sum(isinstance(answer, Decision) for answer in answers) == 1, answers
        assert sum(isinstance(answer, Conflict) for answer in answers) == 2, answers
    assert Decision.objects.count() == 5
