"""Nobody ranks what they wrote: an item with a labeler's own words among its completions is never theirs."""

import pytest

from labeling.demonstrations.submit import submit
from labeling.models import Batch, Kind, Labeler, Prompt, WorkItem
from labeling.queue import dispatch, home
from tests.work import make_batch, make_completions, make_sampling_run, writing_work

pytestmark = pytest.mark.django_db
WORDS = "It is two.\n"


@pytest.fixture
def prompt(labeler: Labeler) -> Prompt:
    """A prompt that Lena has answered."""
    writing_work(1)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return submit(labeler, lease.pk, WORDS).prompt


def to_rank(prompt: Prompt, *texts: str) -> Batch:
    batch = make_batch(Kind.RANK)
    dispatch.add_ranking_items(batch, [(prompt, make_completions(make_sampling_run(), prompt, texts))])
    return batch


def test_her_own_words_are_passed_by(labeler: Labeler, second_labeler: Labeler, prompt: Prompt) -> None:
    to_rank(prompt, "one", "  It is two. ", "three", "four")  # blanks at the ends make no other text
    assert WorkItem.objects.get(batch__kind=Kind.RANK).authors == [labeler.pk]
    assert dispatch.counts(labeler)[Kind.RANK] == 0
    assert dispatch.claim(labeler, Kind.RANK) is None
    assert dispatch.counts(second_labeler)[Kind.RANK] == 1
    assert dispatch.claim(second_labeler, Kind.RANK) is not None


def test_other_words_for_the_same_prompt_are_not(labeler: Labeler, prompt: Prompt) -> None:
    to_rank(prompt, "one", "It is two, or three.", "three", "four")
    assert dispatch.claim(labeler, Kind.RANK) is not None


def test_the_same_words_for_another_prompt_are_not(labeler: Labeler, prompt: Prompt) -> None:
    other = Prompt.objects.create(text="And three minus one?", digest="f" * 64, split="train", source="test")
    to_rank(other, "one", WORDS, "three", "four")
    assert dispatch.claim(labeler, Kind.RANK) is not None


def test_she_is_not_told_to_wait_for_it_either(labeler: Labeler, second_labeler: Labeler, prompt: Prompt) -> None:
    to_rank(prompt, "one", WORDS, "three", "four")
    assert dispatch.claim(second_labeler, Kind.RANK) is not None
    (work,) = [work for work in home.work_of(labeler) if work.kind == Kind.RANK]
    assert (work.open, work.returning) == (0, 0)


def test_she_is_not_the_one_more_who_is_asked(
    labeler: Labeler, second_labeler: Labeler, third_labeler: Labeler, prompt: Prompt
) -> None:
    batch = to_rank(prompt, "one", WORDS, "three", "four")
    item = batch.items.get()
    Batch.objects.filter(pk=batch.pk).update(most_labelers=3)
    Labeler.objects.filter(pk=third_labeler.pk).update(state=Labeler.State.PAUSED)
    assert dispatch.claim(second_labeler, Kind.RANK) is not None
    assert not dispatch.ask_one_more(item)
    Labeler.objects.filter(pk=third_labeler.pk).update(state=Labeler.State.ACTIVE)
    assert dispatch.ask_one_more(item)
