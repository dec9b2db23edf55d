"""Sending in a ranking."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.models import Assignment, Completion, Kind, Labeler, RankedCompletion, Ranking, WorkItem
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.django_db

PLACES = {1: 2, 2: 1, 3: 2, 4: 3}


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    ranking_work(1, need=1)
    return dispatch.claim(labeler, Kind.RANK)


def stored(ranking: Ranking) -> dict[int, int]:
    return dict(RankedCompletion.objects.filter(ranking=ranking).values_list("completion", "place"))


def nothing_stored() -> bool:
    return not Ranking.objects.exists() and not RankedCompletion.objects.exists() and WorkItem.objects.get().done == 0


def test_places_are_stored_by_the_order_shown(labeler: Labeler, lease: Assignment) -> None:
    ranking = submit(labeler, lease.pk, PLACES)
    first, second, third, fourth = lease.display_order
    assert stored(ranking) == {first: 2, second: 1, third: 2, fourth: 3}
    assert ranking.display_order == lease.display_order
    assert (ranking.labeler, ranking.item, ranking.guideline) == (labeler, lease.item, lease.item.batch.guideline)
    lease.refresh_from_db()
    assert lease.state == Assignment.State.DONE


@pytest.mark.parametrize(
    ("places", "dense"),
    [
        ({1: 9, 2: 5, 3: 5, 4: 7}, [3, 1, 1, 2]),
        ({1: 2, 2: 2, 3: 2, 4: 2}, [1, 1, 1, 1]),
        ({4: 1, 3: 2, 2: 3, 1: 4}, [4, 3, 2, 1]),
    ],
)
def test_gaps_are_closed_and_ties_kept(
    labeler: Labeler, lease: Assignment, places: dict[int, int], dense: list[int]
) -> None:
    ranking = submit(labeler, lease.pk, places)
    assert [stored(ranking)[pk] for pk in lease.display_order] == dense


def test_identical_samples_get_their_cards_place(labeler: Labeler) -> None:
    ranking_work(texts=("yes", "no", "yes", "maybe"))
    lease = dispatch.claim(labeler, Kind.RANK)
    place_of = {"yes": 1, "no": 2, "maybe": 3}
    ranking = submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    texts = dict(Completion.objects.values_list("pk", "text"))
    assert sorted((texts[pk], place) for pk, place in stored(ranking).items()) == [
        ("maybe", 3),
        ("no", 2),
        ("yes", 1),
        ("yes", 1),
    ]


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        ({}, "Cards 1, 2, 3, 4 have no place"),
        ({1: 1, 2: 2, 4: 3}, "Card 3 has no place"),
        ({**PLACES, 5: 1}, "There is no card 5"),
        ({**PLACES, 0: 1}, "There is no card 0"),
        ({**PLACES, 2: 0}, "Card 2 has the place 0"),
        ({**PLACES, 2: 10}, "Card 2 has the place 10"),
        ({**PLACES, 2: -1}, "Card 2 has the place -1"),
    ],
)
def test_a_ranking_that_is_none_leaves_the_lease(
    labeler: Labeler, lease: Assignment, places: dict[int, int], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        submit(labeler, lease.pk, places)
    assert nothing_stored()
    assert len(stored(submit(labeler, lease.pk, PLACES))) == 4


def test_the_first_ranking_is_kept(labeler: Labeler, lease: Assignment) -> None:
    ranking = submit(labeler, lease.pk, PLACES)
    before = stored(ranking)
    with pytest.raises(Conflict, match="The first version was kept"):
        submit(labeler, lease.pk, {1: 1, 2: 2, 3: 3, 4: 4})
    assert stored(Ranking.objects.get()) == before
    assert WorkItem.objects.get().done == 1


def test_a_ranking_that_comes_late_is_taken_while_the_item_wants_it(labeler: Labeler, lease: Assignment) -> None:
    Assignment.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    dispatch.sweep()
    assert len(stored(submit(labeler, lease.pk, PLACES))) == 4
    assert (WorkItem.objects.get().taken, WorkItem.objects.get().done) == (1, 1)


def test_a_ranking_that_comes_too_late_is_refused(labeler: Labeler, second_labeler: Labeler, lease: Assignment) -> None:
    Assignment.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    dispatch.sweep()
    submit(second_labeler, dispatch.claim(second_labeler, Kind.RANK).pk, PLACES)
    with pytest.raises(Conflict, match="somebody else"):
        submit(labeler, lease.pk, PLACES)
    assert Ranking.objects.get().labeler == second_labeler


def test_foreign_unknown_and_other_kinds_are_not_found(
    labeler: Labeler, second_labeler: Labeler, lease: Assignment
) -> None:
    writing_work(1, start=50)
    writing = dispatch.claim(labeler, Kind.DEMONSTRATE)
    for who, what in [(second_labeler, lease.pk), (labeler, uuid4()), (labeler, writing.pk)]:
        with pytest.raises(NotFound):
            submit(who, what, PLACES)
    assert not Ranking.objects.exists()


def test_a_withdrawn_item_is_not_ranked(labeler: Labeler, lease: Assignment) -> None:
    dispatch.withdraw(lease.item)
    with pytest.raises(Conflict, match="withdrawn"):
        submit(labeler, lease.pk, PLACES)
    assert nothing_stored()
