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


# ── Work to propose prompts ─────────────────────────────────────────────────────────────────────────────────────────

BRIEF = dispatch.Brief(shape="few_shot", use_case="classification", text="Something about music.")


def test_a_brief_is_given_out_in_place_of_a_prompt(labeler: Labeler, held_out_labeler: Labeler) -> None:
    briefs = [BRIEF, dispatch.Brief(shape="plain", use_case="", text="  ")]
    assert dispatch.add_proposal_items(make_batch(Kind.PROPOSE), briefs, need=2) == 2
    assert dispatch.counts(labeler)[Kind.PROPOSE] == 2
    lease = dispatch.claim(labeler, Kind.PROPOSE)
    assert lease is not None
    assert (lease.item.brief, lease.item.prompt, lease.item.need) == (BRIEF, None, 2)
    assert lease.display_order == []
    assert dispatch.claim(held_out_labeler, Kind.PROPOSE) is None
    assert WorkItem.objects.order_by("-pos")[0].brief == {"shape": "plain", "use_case": "", "text": ""}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"shape": "sonnet"}, "one of plain, few_shot, user_based"),
        ({"use_case": "cooking"}, "no use case “cooking”"),
        ({"shape": "user_based", "text": " \n"}, "says in words"),
        ({"text": "a\0b"}, "NUL"),
        ({"text": "long" * 6000}, "at most 20,000"),
    ],
)
def test_one_bad_brief_leaves_nothing_behind(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        dispatch.add_proposal_items(make_batch(Kind.PROPOSE), [BRIEF, {**BRIEF, **change}])  # type: ignore[typeddict-item]
    assert WorkItem.objects.count() == 0


def test_briefs_go_into_a_batch_of_their_kind() -> None:
    with pytest.raises(BadInput, match="another kind"):
        dispatch.add_proposal_items(make_batch(Kind.RANK), [BRIEF])
