"""Researchers answer first; then items and answers are final."""

from decimal import Decimal

import pytest

from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.labelers.enroll import give_role
from labeling.models import Reference, Role, ScreeningItem, ScreeningSet, User
from labeling.screening import items, prepare
from tests.labeling.queue.test_races import all_at_once
from tests.labeling.screening.people import ITEMS, REFERENCES, make_candidate, make_set

pytestmark = pytest.mark.django_db


def test_cut_offs_begin_as_in_the_paper(researcher: User) -> None:
    made = prepare.make(researcher, " Spring ")
    assert (made.name, made.flag_cutoff, made.ranking_cutoff, made.grade_cutoff) == ("Spring", 75, 75, 6)
    assert (made.state, made.is_open) == ("draft", False)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "empty"),
        ({"name": "x" * 201}, "200"),
        ({"flag_cutoff": 101}, "between 0 and 100"),
        ({"ranking_cutoff": -1}, "between 0 and 100"),
        ({"grade_cutoff": Decimal("0.5")}, "between 1 and 7"),
        ({"grade_cutoff": Decimal("7.1")}, "between 1 and 7"),
    ],
)
def test_a_bad_set_is_refused(researcher: User, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        prepare.make(researcher, **{"name": "Spring", **fields})  # type: ignore[arg-type]
    assert not ScreeningSet.objects.exists()


def test_it_opens_once_researchers_have_answered(researcher: User) -> None:
    made = prepare.make(researcher, "Spring")
    with pytest.raises(Conflict, match="no items"):
        prepare.open_set(made)
    prepare.add(made, ITEMS)
    for number, (item, said) in enumerate(zip(prepare.answered_first(made), REFERENCES, strict=True)):
        with pytest.raises(Conflict, match=f"{3 - number} item"):
            prepare.open_set(made)
        prepare.refer(researcher, item, said)
    prepare.open_set(made)
    made.refresh_from_db()
    assert made.state == "open"


def test_an_answer_that_is_not_whole_is_refused(researcher: User) -> None:
    made = make_set(researcher, opened=False)
    first = prepare.answered_first(made)[0]
    with pytest.raises(BadInput, match="2 flags are still missing"):
        prepare.refer(researcher, first, {"flag-0": "no"})
    assert Reference.objects.get(item=first).value == [True, False, False]


def test_a_second_answer_takes_the_place_of_the_first(researcher: User, admin_user: User) -> None:
    made = make_set(researcher, opened=False)
    item = prepare.answered_first(made)[1]
    prepare.refer(researcher, item, {"flag-0": "yes"})
    prepare.refer(admin_user, item, {"flag-0": "no"})
    assert [row.value for row in item.references.order_by("pk")] == [[True], [False]]


def test_once_open_everything_is_final(researcher: User) -> None:
    made = make_set(researcher)
    item = prepare.answered_first(made)[0]
    for door in (
        lambda: prepare.add(made, ITEMS[:1]),
        lambda: prepare.remove(item),
        lambda: prepare.put_back(item),
        lambda: prepare.refer(researcher, item, REFERENCES[0]),
    ):
        with pytest.raises(Conflict, match="final"):
            door()
    prepare.close(made)
    with pytest.raises(Conflict, match="final"):
        prepare.remove(item)
    assert prepare.asked(made).count() == 6


def test_closing_and_opening_again(researcher: User) -> None:
    made = make_set(researcher)
    with pytest.raises(Conflict, match="open already"):
        prepare.open_set(made)
    prepare.close(made)
    with pytest.raises(Conflict, match="not open"):
        prepare.close(made)
    other = make_set(researcher, name="Autumn")
    with pytest.raises(Conflict, match="Another set is open"):
        prepare.open_set(made)
    prepare.close(other)
    prepare.open_set(made)
    made.refresh_from_db()
    assert (made.state, made.closed_at) == ("open", None)


def test_what_is_removed_can_be_put_back_with_its_answers(researcher: User) -> None:
    made = make_set(researcher, opened=False)
    before = list(prepare.asked(made).values_list("pk", flat=True))
    item = prepare.answered_first(made)[1]
    prepare.remove(item)
    assert list(prepare.asked(made).values_list("pk", flat=True)) == [pk for pk in before if pk != item.pk]
    prepare.put_back(item)
    assert list(prepare.asked(made).values_list("pk", flat=True)) == before
    assert item.references.count() == 1


def test_a_set_has_its_limit_and_takes_all_or_nothing(researcher: User) -> None:
    made = prepare.make(researcher, "Spring")
    prepare.add(made, [items.checked("write", f"Prompt {number}") for number in range(199)])
    with pytest.raises(BadInput, match="at most 200"):
        prepare.add(made, ITEMS[:2])
    assert ScreeningItem.objects.count() == 199


def test_who_is_screened_gives_no_researchers_answers(researcher: User) -> None:
    candidate = make_candidate()
    give_role(candidate.user, Role.RESEARCHER)
    made = make_set(researcher, opened=False)
    with pytest.raises(NotAllowed):
        prepare.refer(candidate.user, prepare.answered_first(made)[0], REFERENCES[0])


@pytest.mark.django_db(transaction=True)
def test_two_sets_that_are_opened_at_once(researcher: User) -> None:
    made = [make_set(researcher, name=name, opened=False) for name in ("Spring", "Autumn")]
    results = all_at_once([lambda one=one: prepare.open_set(one) for one in made])  # type: ignore[misc]
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    assert ScreeningSet.objects.filter(is_open=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_item_that_is_added_while_a_set_opens(researcher: User) -> None:
    """Either it is refused, or the set waits for its answer: candidates never meet an item without one."""
    made = make_set(researcher, opened=False)
    results = all_at_once([lambda: prepare.open_set(made), lambda: prepare.add(made, ITEMS[:1])])
    made.refresh_from_db()
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 1
    assert (made.is_open, prepare.asked(made).count()) in {(True, 6), (False, 7)}
