"""Drift and gold items: how they come into a batch, and what does not depend on them."""

import pytest
from django.db import IntegrityError, transaction

from labeling.errors import BadInput, Conflict
from labeling.exports.freeze import freeze_rankings
from labeling.models import Batch, Cohort, Control, DriftItem, GoldAnswer, Labeler, Ranking, User, WorkItem
from labeling.quality import drift, known
from labeling.quality.answer import retire, revive
from labeling.queue import dispatch
from labeling.queue.models import CHECKS
from labeling.rounds.people import is_done
from tests.labeling.quality.known import gold, new_batch, origins, rank_all, with_settings
from tests.labeling.queue.test_calibration import fill, mixed_batch
from training import storage

pytestmark = pytest.mark.django_db


# ── Drift ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_comparisons_recur_once_in_each_batch(researcher: User, labeler: Labeler) -> None:
    items = origins(3)
    for item in items:
        drift.add(researcher, item)
    for start in (0, 100):
        batch = new_batch(5, start=start, drift_count=2)
        assert known.mix_into(batch) == 2
        assert known.mix_into(batch) == 0  # twice is the same as once
        copies = list(batch.items.filter(control=Control.DRIFT).order_by("pk"))
        assert [copy.origin for copy in copies] == items[:2]
        assert [copy.prompt for copy in copies] == [item.prompt for item in items[:2]]
        for copy, item in zip(copies, items, strict=False):
            assert set(copy.completions.all()) == set(item.completions.all())
        made = rank_all(labeler)
        assert sorted(r.item.origin_id for r in made if r.item.control == Control.DRIFT) == [i.pk for i in items[:2]]
        assert len(made) == 7


def test_every_labeler_gets_each_of_them_once(
    researcher: User, labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler
) -> None:
    drift.add(researcher, origins(1)[0])
    batch = new_batch(6, drift_count=1)
    known.mix_into(batch)
    for person in (labeler, second_labeler, third_labeler):
        rank_all(person)
    copy = batch.items.get(control=Control.DRIFT)
    assert sorted(copy.rankings.values_list("labeler", flat=True)) == sorted(
        [labeler.pk, second_labeler.pk, third_labeler.pk]
    )
    assert not copy.is_open


def test_the_database_keeps_a_copy_to_one_a_batch(researcher: User) -> None:
    drift.add(researcher, origins(1)[0])
    batch = new_batch(2, drift_count=1)
    known.mix_into(batch)
    copy = batch.items.get(control=Control.DRIFT)
    with pytest.raises(IntegrityError, match="copy_once"), transaction.atomic():
        WorkItem.objects.create(
            batch=batch, prompt=copy.prompt, lane=copy.lane, pos=1, control=Control.GOLD, origin=copy.origin
        )
    with pytest.raises(IntegrityError, match="item_check_has_origin"), transaction.atomic():
        WorkItem.objects.filter(pk=copy.pk).update(origin=None)


def test_copies_stand_among_the_others(researcher: User) -> None:
    for item in origins(6):
        drift.add(researcher, item)
    batch = new_batch(30, drift_count=6)
    known.mix_into(batch)
    controls = list(batch.items.order_by("pos").values_list("control", flat=True))
    at = [index for index, control in enumerate(controls) if control == Control.DRIFT]
    assert len(at) == 6
    assert at != list(range(6)) and at != list(range(30, 36))
    assert at[-1] - at[0] > 10


def test_what_recurs_no_more(researcher: User) -> None:
    first, second = origins(2)
    for item in (first, second):
        drift.add(researcher, item)
    drift.remove(first)
    batch = new_batch(3, drift_count=1)
    known.mix_into(batch)
    assert batch.items.get(control=Control.DRIFT).origin == second


def test_never_into_its_own_batch_another_cohort_or_another_purpose(researcher: User) -> None:
    item = origins(1)[0]
    drift.add(researcher, item)
    gold(researcher, item)
    settings = with_settings(drift_count=1, gold_share=1.0)
    Batch.objects.filter(pk=item.batch_id).update(drift_count=1, gold_share=1.0)
    fill(item.batch, 2, start=700)
    held_out = mixed_batch(settings, cohort=Cohort.HELD_OUT)
    fill(held_out, 3, start=800)
    evaluation = mixed_batch(settings)
    Batch.objects.filter(pk=evaluation.pk).update(purpose="evaluation")
    fill(evaluation, 3, start=900)
    for pk in (item.batch_id, held_out.pk, evaluation.pk):
        assert known.mix_into(Batch.objects.get(pk=pk)) == 0


def test_what_cannot_recur(researcher: User) -> None:
    withdrawn, held, good = origins(3)
    dispatch.withdraw(withdrawn)
    dispatch.hold(held, "It is broken.")
    drift.add(researcher, good)
    copied = new_batch(2, drift_count=1)
    known.mix_into(copied)
    for item, sentence in [
        (withdrawn, "is withdrawn"),
        (held, "release it first"),
        (copied.items.get(control=Control.DRIFT), "itself a copy"),
    ]:
        item.refresh_from_db()
        with pytest.raises(BadInput, match=sentence):
            drift.add(researcher, item)
        with pytest.raises(BadInput, match=sentence):
            gold(researcher, item)
    with pytest.raises(Conflict, match="already"):
        drift.add(researcher, good)
    assert (DriftItem.objects.count(), GoldAnswer.objects.count()) == (1, 0)


def test_an_item_that_is_withdrawn_later_recurs_no_more(researcher: User) -> None:
    item = origins(1)[0]
    drift.add(researcher, item)
    dispatch.withdraw(item)
    assert known.mix_into(new_batch(3, drift_count=1)) == 0


# ── Gold ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_gold_share_counts_rankings(researcher: User, labeler: Labeler, second_labeler: Labeler) -> None:
    """Ten rankings of its own and 0.3: three more, over the two answers there are."""
    for item in origins(2):
        gold(researcher, item)
    batch = new_batch(10, gold_share=0.3)
    known.mix_into(batch)
    assert sorted(batch.items.filter(control=Control.GOLD).values_list("need", flat=True)) == [1, 2]
    assert known.mix_into(batch) == 0


def test_no_gold_item_wants_more_labelers_than_there_are(researcher: User, labeler: Labeler) -> None:
    gold(researcher, origins(1)[0])
    batch = new_batch(10, gold_share=1.0)
    known.mix_into(batch)
    assert batch.items.get(control=Control.GOLD).need == 1


def test_the_mode_goes_along_and_a_retired_answer_does_not(researcher: User) -> None:
    silent, teaching, retired = origins(3)
    gold(researcher, silent)
    gold(researcher, teaching, "teaching")
    retire(gold(researcher, retired))
    batch = new_batch(10, gold_share=1.0)
    known.mix_into(batch)
    mixed = dict(batch.items.filter(control__in=CHECKS).values_list("origin", "control"))
    assert mixed == {silent.pk: Control.GOLD, teaching.pk: Control.TEACHING}
    revive(GoldAnswer.objects.get(item=retired))
    again = new_batch(10, start=100, gold_share=1.0)
    assert known.mix_into(again) == 3


def test_who_disagrees_on_a_gold_item_asks_for_nobody_more(
    researcher: User, labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler
) -> None:
    gold(researcher, origins(1)[0])
    batch = new_batch(2, gold_share=1.0, most_labelers=5)
    known.mix_into(batch)
    rank_all(labeler)
    rank_all(second_labeler, {"one": 4, "two": 3, "three": 2, "four": 1})
    copy = batch.items.get(control=Control.GOLD)
    assert (copy.need, copy.done) == (2, 2)


# ── What does not depend on them ────────────────────────────────────────────────────────────────────────────────────


def test_a_batch_is_complete_without_them(researcher: User, labeler: Labeler, second_labeler: Labeler) -> None:
    drift.add(researcher, origins(1)[0])
    batch = new_batch(2, drift_count=1)
    known.mix_into(batch)
    progress = Batch.objects.with_progress().get(pk=batch.pk)
    assert (progress.done, progress.wanted) == (0, 2)
    rank_all(labeler)
    progress = Batch.objects.with_progress().get(pk=batch.pk)
    assert (progress.done, progress.wanted) == (2, 2)
    assert is_done(batch)
    assert dispatch.counts(second_labeler)["rank"] == 1  # the drift item waits for her, and the round does not
    assert dispatch.close_checks(batch) == 1
    assert dispatch.counts(second_labeler)["rank"] == 0


def test_who_holds_a_check_that_is_closed_may_finish_it(
    researcher: User, labeler: Labeler, second_labeler: Labeler
) -> None:
    drift.add(researcher, origins(1)[0])
    batch = new_batch(1, drift_count=1)
    known.mix_into(batch)
    rank_all(labeler)
    lease = dispatch.claim(second_labeler, "rank")
    assert lease is not None and lease.item.control == Control.DRIFT
    dispatch.close_checks(batch)
    assert len(rank_all(second_labeler)) == 1


def test_datasets_are_made_of_calibration_items_and_not_of_checks(researcher: User, labeler: Labeler) -> None:
    recurs, silent, teaching = origins(3)
    drift.add(researcher, recurs)
    gold(researcher, silent)
    gold(researcher, teaching, "teaching")
    batch = new_batch(4, drift_count=1, gold_share=0.5, calibration_share=0.5, most_labelers=1)
    known.mix_into(batch)
    by_control: dict[int, list[str]] = {}
    for ranking in rank_all(labeler):
        by_control.setdefault(ranking.item.control, []).append(str(ranking.pk))
    assert {control: len(found) for control, found in by_control.items()} == {
        Control.ORDINARY: 2,
        Control.CALIBRATION: 2,
        Control.DRIFT: 1,
        Control.GOLD: 1,
        Control.TEACHING: 1,
    }
    text = storage.absolute(freeze_rankings(Ranking.objects.all()).path).read_text()
    assert text.count("\n") == 4
    for control in (Control.ORDINARY, Control.CALIBRATION):
        assert all(f'"ranking_id": "{pk}"' in text or f'"ranking_id":"{pk}"' in text for pk in by_control[control])
    assert freeze_rankings(Ranking.objects.all(), checks=True).rows == 7
