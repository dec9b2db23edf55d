"""What may be put into the queue, and what the database refuses by itself."""

import pytest
from django.db import IntegrityError, transaction

from labeling.errors import BadInput
from labeling.guidelines.publish import current
from labeling.models import Assignment, Cohort, Kind, Labeler, Purpose, WorkItem
from labeling.queue import dispatch
from tests.work import make_batch, make_completions, make_prompts, make_sampling_run, ranking_work, writing_work

pytestmark = pytest.mark.django_db


def test_items_stand_in_the_order_they_were_given() -> None:
    prompts = make_prompts(5)[::-1]
    batch = make_batch(Kind.DEMONSTRATE)
    assert dispatch.add_demonstration_items(batch, prompts) == 5
    assert [item.prompt for item in batch.items.order_by("pos")] == prompts


@pytest.mark.parametrize("k", [3, 10])
def test_a_ranking_has_4_to_9_completions(k: int) -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    group = (prompt, make_completions(run, prompt, [f"text {n}" for n in range(k)]))
    with pytest.raises(BadInput, match=f"there are {k}"):
        dispatch.add_ranking_items(make_batch(Kind.RANK), [group])
    assert WorkItem.objects.count() == 0


def test_a_group_of_equal_texts_is_left_out() -> None:
    run, (same, mixed) = make_sampling_run(), make_prompts(2)
    groups = [
        (same, make_completions(run, same, ["yes", "yes ", "\nyes", "yes"])),
        (mixed, make_completions(run, mixed, ["yes", "yes", "yes", "no"])),
    ]
    assert dispatch.add_ranking_items(make_batch(Kind.RANK), groups) == 1
    assert WorkItem.objects.get().prompt == mixed


def test_one_bad_group_leaves_nothing_behind() -> None:
    run, (good, bad) = make_sampling_run(), make_prompts(2)
    groups = [
        (good, make_completions(run, good, ["a", "b", "c", "d"])),
        (bad, make_completions(run, bad, ["a", "b", "c"])),
    ]
    with pytest.raises(BadInput):
        dispatch.add_ranking_items(make_batch(Kind.RANK), groups)
    assert WorkItem.objects.count() == 0


def test_completions_belong_to_their_prompt() -> None:
    run, (one, other) = make_sampling_run(), make_prompts(2)
    with pytest.raises(BadInput, match="another prompt"):
        group = (one, make_completions(run, other, ["a", "b", "c", "d"]))
        dispatch.add_ranking_items(make_batch(Kind.RANK), [group])


@pytest.mark.parametrize("nonsense", [{"need": 0}, {"priority": 10}, {"priority": -1}])
def test_nonsense_is_refused(nonsense: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        dispatch.add_demonstration_items(make_batch(Kind.DEMONSTRATE), make_prompts(1), **nonsense)


def test_a_batch_takes_its_own_kind_only() -> None:
    with pytest.raises(BadInput, match="another kind"):
        dispatch.add_demonstration_items(make_batch(Kind.RANK), make_prompts(1))


def test_a_batch_has_a_guideline_of_its_purpose() -> None:
    with pytest.raises(BadInput, match="evaluation"):
        dispatch.open_batch(
            name="x",
            kind=Kind.RANK,
            purpose=Purpose.TRAINING,
            cohort=Cohort.TRAINING,
            guideline=current(Purpose.EVALUATION),
        )


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"taken": 3, "is_open": False}, "item_taken_within_need"),
        ({"done": 1}, "item_done_within_taken"),
        ({"taken": 2}, "item_open_wants_labels"),
        ({"priority": 10}, "item_priority_0_to_9"),
        ({"need": 0, "is_open": False}, "item_needs_somebody"),
    ],
)
def test_the_database_keeps_the_counts(fields: dict[str, int], constraint: str) -> None:
    writing_work(1, need=2)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        WorkItem.objects.update(**fields)


def test_the_database_keeps_one_lease_per_lane_and_one_assignment_per_item(labeler: Labeler) -> None:
    batch = ranking_work(2)
    held = dispatch.claim(labeler, Kind.RANK)
    other = batch.items.exclude(pk=held.item_id).get()
    again = {"labeler": labeler, "lane": held.lane, "expires_at": held.expires_at}
    with pytest.raises(IntegrityError, match="one_lease_per_lane"), transaction.atomic():
        Assignment.objects.create(item=other, **again)
    with pytest.raises(IntegrityError, match="labeler_once_per_item"), transaction.atomic():
        Assignment.objects.create(item=held.item, state=Assignment.State.SKIPPED, **again)
