"""Gold and drift items on the scorecard: counted by hand, and in no other figure."""

import numpy as np
import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from labeling.agreement import answers, cards
from labeling.agreement.answers import KnownAnswer, known_answers
from labeling.agreement.rows import Filters, listed, read
from labeling.agreement.scorecard import falls_short, on_known
from labeling.models import Batch, Control, Kind, Labeler, Ranking, User, WorkItem
from labeling.quality import drift, known
from labeling.quality.answer import answer
from labeling.queue import dispatch
from labeling.queue.settings import PLAIN
from labeling.rankings import cards as shown_cards
from labeling.rankings.submit import correct, submit
from tests.labeling.quality.known import PLACE_OF, gold, new_batch, origins, rank_all
from tests.labeling.queue.test_calibration import fill, mixed_batch

pytestmark = pytest.mark.django_db
IN_ORDER = {"one": 1, "two": 2, "three": 3, "four": 4}
SWAPPED = {**IN_ORDER, "one": 2, "two": 1}
REVERSED = {"one": 4, "two": 3, "three": 2, "four": 1}


@pytest.fixture(autouse=True)
def nothing_is_known() -> None:
    caches["reports"].clear()


def found(labeler: Labeler) -> list[tuple[str, int, int]]:
    return [(one.kind, one.right, one.pairs) for one in all_of(labeler)]


def all_of(labeler: Labeler) -> list[KnownAnswer]:
    return [one for one in known_answers(answers.listed()) if one.labeler == labeler.pk]


def with_drift(start: int) -> Batch:
    batch = new_batch(2, start=start, drift_count=1)
    known.mix_into(batch)
    return batch


def with_gold(start: int, share: float = 0.5) -> Batch:
    batch = new_batch(2, start=start, gold_share=share)
    known.mix_into(batch)
    return batch


def test_gold_is_held_against_the_researchers_answer(researcher: User, labeler: Labeler) -> None:
    """Ours: one, two, then three and four tied. Of the five pairs in order the labeler turns one around."""
    gold(researcher, origins(1)[0])
    batch = with_gold(0)
    rank_all(labeler, SWAPPED)
    (answered,) = all_of(labeler)
    assert (answered.kind, answered.right, answered.pairs) == ("gold", 4, 5)
    assert answered.item == batch.items.get(control=Control.GOLD).pk


def test_ties_of_the_labeler_are_no_pairs(researcher: User, labeler: Labeler) -> None:
    """One and two tied: of the pairs that we order, four are left."""
    gold(researcher, origins(1)[0])
    with_gold(0)
    rank_all(labeler, {"one": 1, "two": 1, "three": 2, "four": 3})
    assert found(labeler) == [("gold", 4, 4)]


def test_a_correction_and_another_answer_of_ours_are_read_anew(researcher: User, labeler: Labeler) -> None:
    item = origins(1)[0]
    ours = gold(researcher, item)
    with_gold(0)
    made = next(one for one in rank_all(labeler, SWAPPED) if one.item.control == Control.GOLD)
    versions = [answers.listed().version]
    on_page = shown_cards.cards(made.assignment)
    correct(labeler, made.assignment_id, {card.number: IN_ORDER[card.text] for card in on_page})
    assert found(labeler) == [("gold", 5, 5)]
    versions.append(answers.listed().version)
    turned = {card.number: REVERSED[card.text] for card in on_page_of(item)}
    answer(researcher, item, turned, "We were wrong.", "silent", base=ours.revision)
    assert found(labeler) == [("gold", 0, 6)]
    versions.append(answers.listed().version)
    assert len(set(versions)) == 3


def on_page_of(item: WorkItem) -> list[shown_cards.Card]:
    from labeling.quality.answer import shown

    return shown(item)


def test_drift_is_held_against_the_first_time(researcher: User, labeler: Labeler) -> None:
    """5 of 6 pairs, then 0 of 6: against the second time it would be 1 of 6."""
    drift.add(researcher, origins(1)[0])
    for start, places in ((0, IN_ORDER), (100, SWAPPED), (200, REVERSED)):
        with_drift(start)
        rank_all(labeler, places)
    assert found(labeler) == [("drift", 5, 6), ("drift", 0, 6)]


def test_the_first_time_may_be_the_item_itself(researcher: User, labeler: Labeler, second_labeler: Labeler) -> None:
    earlier = new_batch(1, start=500)
    rank_all(labeler, REVERSED)
    drift.add(researcher, earlier.items.get())
    with_drift(0)
    rank_all(labeler, IN_ORDER)
    WorkItem.objects.filter(is_open=True).update(need=2)
    assert found(labeler) == [("drift", 0, 6)]
    assert found(second_labeler) == []


def test_what_we_taught_is_not_counted_again(researcher: User, labeler: Labeler) -> None:
    gold(researcher, origins(1)[0], "teaching")
    for start, places in ((0, SWAPPED), (100, IN_ORDER)):
        with_gold(start)
        rank_all(labeler, places)
    assert Ranking.objects.filter(item__control=Control.TEACHING).count() == 2
    assert found(labeler) == [("gold", 4, 5)]


def test_identical_samples_are_one(researcher: User, labeler: Labeler) -> None:
    """Three cards, the first two turned around: 2 of 3, not 3 of 5."""
    batch = mixed_batch(PLAIN, name="earlier")
    fill(batch, 1, start=500, texts=("same", "other", " same", "third"))
    batch.items.update(is_open=False)
    item = batch.items.get()
    ours = {"same": 1, "other": 2, "third": 3}
    on_page = on_page_of(item)
    answer(researcher, item, {card.number: ours[card.text.strip()] for card in on_page}, "So it is.", "silent")
    copies = with_gold(0).items.filter(control=Control.GOLD)
    theirs = {"same": 2, "other": 1, "third": 3, **IN_ORDER}
    while lease := dispatch.claim(labeler, Kind.RANK):
        submit(labeler, lease.pk, {card.number: theirs[card.text.strip()] for card in shown_cards.cards(lease)})
    assert copies.get().done == 1
    assert found(labeler) == [("gold", 2, 3)]


def test_known_items_count_in_no_other_figure(researcher: User, labeler: Labeler, second_labeler: Labeler) -> None:
    """Two labelers on one item, and again on its drift and gold copies: one item, two rankings."""
    first = mixed_batch(PLAIN, name="first")
    fill(first, 1, start=500, need=2)
    for person, places in ((labeler, IN_ORDER), (second_labeler, SWAPPED)):
        rank_all(person, places)
    item = first.items.get()
    drift.add(researcher, item)
    gold(researcher, item)
    for start, changed in ((0, {"drift_count": 1}), (100, {"gold_share": 1.0})):
        batch = new_batch(1, start=start, **changed)
        assert known.mix_into(batch) == 1
        batch.items.filter(origin=item).update(need=2, is_open=True)
        batch.items.filter(origin=None).update(is_open=False)
        for person in (labeler, second_labeler):
            assert len(rank_all(person, IN_ORDER)) == 1
    assert Ranking.objects.count() == 6
    rankings = listed(Filters())
    assert rankings.about["item"].tolist() == [item.pk] * 2
    assert read(Filters(), rankings).items.tolist() == [item.pk]
    card = cards.of_all().by_labeler[labeler.pk]
    assert (card.rankings, card.figures["with_others"].value) == (1, pytest.approx(5 / 6))
    assert {one.kind for one in card.known_answers} == {"gold", "drift"}


def test_a_scorecards_figures_and_interval(researcher: User, labeler: Labeler, second_labeler: Labeler) -> None:
    """Five gold items: the first labeler turns a pair around in each (20 of 25), the second one none."""
    for item in origins(5):
        gold(researcher, item)
    batch = new_batch(10, gold_share=0.5)
    assert known.mix_into(batch) == 5
    batch.items.update(need=2)
    for person, places in ((labeler, SWAPPED), (second_labeler, IN_ORDER)):
        rank_all(person, places)
    shown = cards.of_all().by_labeler[labeler.pk].figures["gold"]
    assert (shown.value, shown.others) == (0.8, 1.0)
    assert (shown.low, shown.high) == (pytest.approx(0.8), pytest.approx(0.8))  # all items alike
    assert cards.of_all().by_labeler[labeler.pk].figures["drift"].value is None


def test_the_page_and_the_file(client: Client, researcher: User, labeler: Labeler) -> None:
    client.force_login(researcher)
    item = origins(1)[0]
    gold(researcher, item)
    drift.add(researcher, item)
    with_gold(0)
    rank_all(labeler, SWAPPED)
    for start, places in ((100, IN_ORDER), (200, SWAPPED)):
        with_drift(start)
        rank_all(labeler, places)
    days = ["2026-03-01", "2026-03-04", "2026-03-11"]  # a Sunday, and Wednesdays
    for made, day in zip(Ranking.objects.exclude(item__origin=None).order_by("pk"), days, strict=True):
        Ranking.objects.filter(pk=made.pk).update(created_at=f"{day}T12:00Z")
    page = client.get(reverse("scorecard", args=[labeler.pseudonym])).content.decode()
    table = page.split("By week")[1].split("</table>")[0]
    weeks = [row.split("</tr>")[0] for row in table.split("<tr>")[2:]]
    assert len(weeks) == 2
    assert "2026-02-23" in weeks[0] and "4 of 5)" in weeks[0] and "none" in weeks[0]
    assert "2026-03-09" in weeks[1] and "83.3\u00a0%" in weeks[1] and "5 of 6)" in weeks[1]
    text = client.get(reverse("scorecard-csv", args=[labeler.pseudonym])).content.decode()
    assert "gold,,0.8,,," in text
    assert ',4,,,,5,"pairs ordered as known, on 2026-03-01"' in text


def test_a_flag_needs_enough_answers_and_more_than_chance() -> None:
    """Three labelers: two order all six pairs as known, one four of six; 25 answers each, then 24."""
    for count, flagged in ((25, [False, False, True]), (24, [False, False, False])):
        labeler = np.repeat([0, 1, 2], count)
        right = np.where(labeler == 2, 4.0, 6.0)
        right[labeler == 2] += np.tile([1, -1], count)[:count]  # 5 and 3 by turns
        rates = on_known(right, np.full(3 * count, 6.0), labeler, 3)
        assert rates.rate[:2].tolist() == [1.0, 1.0]
        assert falls_short(rates).tolist() == flagged


def test_a_labeler_without_known_answers_has_no_rate() -> None:
    rates = on_known(np.array([3.0]), np.array([6.0]), np.array([1]), 2)
    assert np.isnan(rates.rate[0]) and rates.rate[1] == 0.5
    assert not falls_short(rates).any()


def test_without_copies_a_page_asks_one_question(labeler: Labeler, django_assert_num_queries: object) -> None:
    origins(1)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert answers.listed().made == []


def test_asking_costs_the_same_however_many_there_are(
    researcher: User, labeler: Labeler, django_assert_num_queries: object
) -> None:
    for item in origins(4):
        gold(researcher, item)
        drift.add(researcher, item)
    for start in (0, 100):
        batch = new_batch(4, start=start, gold_share=1.0, drift_count=2)
        known.mix_into(batch)
        rank_all(labeler, PLACE_OF)
    with django_assert_num_queries(5):  # type: ignore[operator]  # copies, rankings, gold; places, texts
        assert len(known_answers(answers.listed())) >= 4
