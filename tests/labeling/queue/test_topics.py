"""What somebody opted out of is passed by, and comes back once they want it again."""

import pytest

from labeling.errors import BadInput
from labeling.models import Cursor, Kind, Labeler, Prompt, Topic, WorkItem
from labeling.queue import dispatch
from tests.work import make_batch, make_prompts, writing_work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def topics() -> None:
    for slug in ("war", "illness"):
        Topic.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "description": f"About {slug}."})


@pytest.fixture
def war_and_peace() -> tuple[WorkItem, WorkItem]:
    """Two pieces; the first touches two topics."""
    war, peace = make_prompts(2)
    Prompt.objects.filter(pk=war.pk).update(topics=["illness", "war"])
    war.refresh_from_db()
    batch = make_batch(Kind.DEMONSTRATE)
    dispatch.add_demonstration_items(batch, [war, peace])
    return batch.items.get(prompt=war), batch.items.get(prompt=peace)


def claimed(labeler: Labeler) -> int | None:
    assignment = dispatch.claim(labeler, Kind.DEMONSTRATE)
    return assignment.item_id if assignment else None


def test_items_carry_their_prompts_topics(war_and_peace: tuple[WorkItem, WorkItem]) -> None:
    assert [item.topics for item in war_and_peace] == [["illness", "war"], []]


def test_an_unwanted_topic_is_passed_by(
    labeler: Labeler, second_labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]
) -> None:
    war, peace = war_and_peace
    dispatch.choose_topics(labeler, ["war"])
    labeler.refresh_from_db()
    assert labeler.unwanted_topics == ["war"]
    assert dispatch.counts(labeler)[Kind.DEMONSTRATE] == 1
    assert claimed(labeler) == peace.pk
    assert claimed(second_labeler) == war.pk


def test_it_comes_back_once_it_is_wanted_again(labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]) -> None:
    war, _ = war_and_peace
    dispatch.choose_topics(labeler, ["war"])
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    dispatch.finish(labeler, lease.pk)
    assert claimed(labeler) is None
    dispatch.choose_topics(labeler, [])
    assert dispatch.counts(labeler)[Kind.DEMONSTRATE] == 1
    assert claimed(labeler) == war.pk


def test_a_lease_that_ran_out_is_not_taken_up_again_against_their_will(
    labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]
) -> None:
    war, peace = war_and_peace
    for item in (war, peace):
        lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
        assert lease is not None and lease.item_id == item.pk
        dispatch.skip(labeler, lease.pk, "not-now")
    dispatch.choose_topics(labeler, ["illness"])
    assert dispatch.counts(labeler)[Kind.DEMONSTRATE] == 1
    assert claimed(labeler) == peace.pk


def test_an_unknown_topic_changes_nothing(labeler: Labeler) -> None:
    dispatch.choose_topics(labeler, ["war", "war"])
    with pytest.raises(BadInput, match="no topic “peace”"):
        dispatch.choose_topics(labeler, ["illness", "peace"])
    labeler.refresh_from_db()
    assert labeler.unwanted_topics == ["war"]


def test_a_prompt_that_gets_a_topic_is_passed_by_from_then_on(
    labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]
) -> None:
    war, peace = war_and_peace
    dispatch.choose_topics(labeler, ["illness"])
    Prompt.objects.filter(pk=peace.prompt_id).update(topics=["illness"])
    assert dispatch.retopic([war.the_prompt.pk, peace.the_prompt.pk]) == 1
    assert claimed(labeler) is None


def test_a_prompt_that_loses_a_topic_is_found_again(labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]) -> None:
    war, _ = war_and_peace
    dispatch.choose_topics(labeler, ["war"])
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)  # her cursor stands behind the other one now
    assert lease is not None
    dispatch.finish(labeler, lease.pk)
    Prompt.objects.update(topics=[])
    assert dispatch.retopic([war.the_prompt.pk]) == 1
    Cursor.objects.update(rescanned_at="2100-01-01T00:00:00Z")  # no look from the start
    assert claimed(labeler) == war.pk


def test_items_that_want_nothing_more_keep_the_topics_they_were_done_under(
    labeler: Labeler, war_and_peace: tuple[WorkItem, WorkItem]
) -> None:
    _, peace = war_and_peace
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    dispatch.finish(labeler, lease.pk)
    dispatch.withdraw(peace)
    Prompt.objects.update(topics=["war"])
    assert dispatch.retopic(list(Prompt.objects.values_list("pk", flat=True))) == 0
    assert dispatch.retopic([]) == 0


def test_nobody_elses_cursor_is_lost(labeler: Labeler, second_labeler: Labeler) -> None:
    writing_work(1)
    claimed(second_labeler)
    dispatch.choose_topics(labeler, ["war"])
    assert Cursor.objects.filter(labeler=second_labeler).count() == 1
