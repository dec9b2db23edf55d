"""What is kept is computed once, and anew as soon as a label changes that it was computed from."""

from typing import Any

import pytest
from django.core.cache import caches

from labeling.figures import judged
from labeling.judging import size
from labeling.kept import kept, of_rankings
from labeling.models import Batch, Cohort, Labeler, Ranking
from labeling.rankings.submit import correct
from tests.labeling.agreement.overlap import numbers
from tests.labeling.figures.world import judge, judgement, make_checkpoint, prompts
from tests.people import make_labeler


@pytest.fixture(autouse=True)
def cold(settings: Any, tmp_path: Any) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    caches["reports"].clear()


@pytest.fixture
def batch(db: None, held_out_labeler: Labeler) -> Batch:
    """Two prompts; the first of two policies wins both."""
    found = judgement([make_checkpoint(name, "sft") for name in ("one", "other")], prompts(2))
    judge(held_out_labeler, [[1, 2], [1, 2]])
    return found


def turn_round(ranking: Ranking) -> None:
    """Its labeler thinks again: the other policy is better."""
    places = [2, 2, 1, 1]
    correct(ranking.labeler, ranking.assignment_id, dict(zip(numbers(ranking.assignment), places, strict=True)))


def wins(found: judged.Judgements) -> list[bool]:
    """Of each ranking, whether the policy that was made first stands first."""
    by_age = [sorted(one.said, key=lambda said: said.checkpoint) for one in found.judged]
    return [said[0].place < said[-1].place for said in by_age]


def test_a_value_is_computed_once_for_each_name() -> None:
    computed = []

    def compute() -> str:
        computed.append(1)
        return "found"

    assert [kept("one", compute), kept("one", compute), kept("another", compute)] == ["found"] * 3
    assert len(computed) == 2


def test_none_is_not_kept() -> None:
    assert kept("later", lambda: None) is None
    assert kept("later", lambda: "there") == "there"


def test_judgements_are_read_once_and_again_when_one_is_corrected(
    batch: Batch, django_assert_max_num_queries: Any
) -> None:
    assert wins(judged.read()) == [True, True]
    with django_assert_max_num_queries(5):  # the version alone
        assert wins(judged.read()) == [True, True]
    turn_round(Ranking.objects.order_by("pk")[0])
    assert wins(judged.read()) == [False, True]


def test_another_judgement_is_read_too(batch: Batch, held_out_labeler: Labeler) -> None:
    assert len(judged.read().judged) == 2
    judgement([make_checkpoint(name, "sft") for name in ("third", "fourth")], prompts(1, start="another "))
    waiting = judged.read()
    assert (len(waiting.judged), waiting.waiting) == (2, 1)
    judge(held_out_labeler, [[1, 2]])
    assert (len(judged.read().judged), judged.read().waiting) == (3, 0)


def test_a_labelers_other_cohort_is_seen(batch: Batch, held_out_labeler: Labeler) -> None:
    assert {one.cohort for one in judged.read().judged} == {"held_out"}
    Labeler.objects.filter(pk=held_out_labeler.pk).update(cohort="training")
    assert {one.cohort for one in judged.read().judged} == {"training"}


def test_a_version_is_of_these_rankings(batch: Batch) -> None:
    before = of_rankings(Ranking.objects.all())
    assert of_rankings(Ranking.objects.all()) == before
    turn_round(Ranking.objects.order_by("pk")[1])
    assert of_rankings(Ranking.objects.all()) != before


@pytest.mark.django_db
def test_the_size_of_a_judgement_rests_on_what_was_said_last(
    held_out_labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(size, "FEWEST_PEOPLE", 2)
    other = make_labeler("nina", Cohort.HELD_OUT)
    found = judgement([make_checkpoint(name, "sft") for name in ("one", "other")], prompts(4), need=2)
    for labeler in (held_out_labeler, other):
        judge(labeler, [[1, 2], [1, 2], [2, 1], [1, 2]])
    first = size._of_batch(found)
    assert first and size._of_batch(found) == first
    turn_round(Ranking.objects.order_by("pk")[0])
    assert size._of_batch(found) != first
