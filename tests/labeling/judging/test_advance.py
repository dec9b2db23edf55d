"""A judgement's course: samples become work, labels end it, and it can be paused, stopped, tried again and extended."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.judging import advance
from labeling.judging.open import more_judges, more_prompts, open_judgement
from labeling.models import Batch, Completion, Judgement, Kind, Labeler, User, WorkItem
from labeling.queue import dispatch
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit
from tests.labeling.judging.conftest import end_sampling, make_judgement, make_policies, make_test_prompts, wish
from training.models import Run

pytestmark = pytest.mark.django_db


def judge_all(labeler: Labeler, winner: str = "policy_2") -> int:
    """The labeler prefers what this policy says."""
    done = 0
    while assignment := dispatch.claim(labeler, Kind.RANK):
        shown = cards(assignment)
        submit(labeler, assignment.pk, {card.number: 1 + (not card.text.startswith(f"{winner} ")) for card in shown})
        done += 1
    return done


def fresh(judgement: Judgement) -> Judgement:
    return Judgement.objects.get(pk=judgement.pk)


def test_from_sampling_to_the_last_label(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    run = judgement.drawings.get().run
    assert (run.recipe, run.state) == ("sample", Run.State.QUEUED)
    assert run.spec["samples_by_policy"] == {"policy": 1, "policy_2": 1}
    assert [parent.checkpoint.name for parent in run.parents.order_by("role")] == ["base", "sft"]
    advance.advance(judgement.pk)
    assert fresh(judgement).batch is None, "nothing is sampled yet"
    end_sampling(judgement)
    advance.advance(judgement.pk)
    batch = fresh(judgement).batch
    assert batch is not None
    assert (batch.cohort, batch.purpose, batch.items.count()) == ("held_out", "evaluation", 3)
    assert fresh(judgement).state == "running"
    assert judge_all(judges[0]) == 3
    advance.advance_all()
    assert fresh(judgement).state == "done"


def test_the_page_of_a_labeler_names_no_policy(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    assignment = dispatch.claim(judges[0], Kind.RANK)
    assert assignment is not None
    assert {card.text for card in cards(assignment)} == {"policy says so", "policy_2 says so"}
    assert "sft" not in str(vars(assignment))


def test_ringing_twice_changes_nothing(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    for _ in range(3):
        advance.advance_all()
    assert (Batch.objects.count(), WorkItem.objects.count(), Completion.objects.count()) == (1, 3, 6)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_take_the_samples_in_once(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    barrier = threading.Barrier(6)

    def ring() -> None:
        barrier.wait()
        try:
            advance.advance(judgement.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ring) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Batch.objects.count(), WorkItem.objects.count()) == (1, 3)


def test_a_failed_run_is_said_and_tried_again(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    Run.objects.update(state=Run.State.FAILED, error="The disk is full.")
    advance.advance(judgement.pk)
    failed = fresh(judgement)
    assert (failed.state, failed.note) == ("failed", "Sampling failed: The disk is full.")
    advance.retry(failed)
    assert (fresh(judgement).state, fresh(judgement).note) == ("running", "")
    assert Run.objects.get().state == Run.State.QUEUED
    end_sampling(judgement)
    advance.advance(judgement.pk)
    assert fresh(judgement).batch is not None


def test_paused_work_is_given_to_nobody_and_comes_back(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    begun = dispatch.claim(judges[0], Kind.RANK)
    assert begun is not None
    advance.pause(judgement)
    assert dispatch.claim(judges[1], Kind.RANK) is None
    submit(judges[0], begun.pk, {1: 1, 2: 2})  # who has a piece may finish it
    assert dispatch.claim(judges[0], Kind.RANK) is None
    advance.advance(judgement.pk)
    assert fresh(judgement).state == "paused"
    advance.resume(judgement)
    assert judge_all(judges[1]) == 2
    advance.advance(judgement.pk)
    assert fresh(judgement).state == "done"


def test_what_a_researcher_holds_stays_held_when_it_goes_on(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    first = WorkItem.objects.order_by("pk")[0]
    dispatch.hold(first, "Look at this.")
    advance.pause(judgement)
    advance.resume(judgement)
    assert judge_all(judges[0]) == 2
    first.refresh_from_db()
    assert first.held_because == "Look at this."


def test_stopped_keeps_what_was_judged(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    begun = dispatch.claim(judges[0], Kind.RANK)
    assert begun is not None
    submit(judges[0], begun.pk, {1: 1, 2: 2})
    advance.stop(judgement)
    assert dispatch.claim(judges[1], Kind.RANK) is None
    assert fresh(judgement).progress == (1, 1)
    assert fresh(judgement).may_have_been_seen
    with pytest.raises(Conflict):
        advance.resume(judgement)


def test_stopping_before_sampling_began_ends_the_run(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    advance.stop(judgement)
    assert Run.objects.get().state == Run.State.STOPPED


def test_more_judges_reach_what_is_done_already(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    judge_all(judges[0])
    advance.advance(judgement.pk)
    more_judges(judgement, 2)
    assert (fresh(judgement).state, fresh(judgement).extended) == ("running", 1)
    assert judge_all(judges[0]) == 0, "nobody ranks a prompt twice"
    assert judge_all(judges[1]) == 3
    advance.advance(judgement.pk)
    assert (fresh(judgement).state, fresh(judgement).progress) == ("done", (6, 6))


def test_more_prompts_are_new_ones(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    with pytest.raises(BadInput, match="1 prompts are wanted; 0 fit"):
        more_prompts(judgement, 1)
    make_test_prompts(2, start=3)
    more_prompts(judgement, 2)
    with pytest.raises(Conflict, match="being sampled"):
        more_prompts(judgement, 1)
    end_sampling(judgement)
    advance.advance(judgement.pk)
    batch = fresh(judgement).batch
    assert batch is not None
    assert batch.items.values("prompt").distinct().count() == 5
    assert fresh(judgement).extended == 0, "no result could be seen before"


def test_prompts_on_which_all_say_the_same_ask_nobody(researcher: User, judges: list[Labeler]) -> None:
    judgement = make_judgement(researcher)
    end_sampling(judgement, alike=3)
    advance.advance(judgement.pk)
    assert (fresh(judgement).state, WorkItem.objects.count()) == ("done", 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "a name"),
        ({"split": "train"}, "test or validation"),
        ({"judges": 3}, "3 judges a prompt need as many labelers"),
        ({"prompts": 4}, "4 prompts are wanted; 3 fit"),
        ({"spec": {"samples_per_prompt": 4}}, "follows from the policies"),
        ({"spec": {"temperature": -1}}, "temperature"),
        ({"shown_from": 0}, "from 1 to 100"),
    ],
)
def test_what_cannot_be_is_said(
    changes: dict[str, object], sentence: str, researcher: User, judges: list[Labeler]
) -> None:
    make_test_prompts(3)
    with pytest.raises(BadInput, match=sentence):
        open_judgement(wish(make_policies("base", "sft"), **changes), researcher)
    assert (Judgement.objects.count(), Run.objects.count()) == (0, 0)


def test_one_policy_is_no_comparison(researcher: User, judges: list[Labeler]) -> None:
    make_test_prompts(3)
    with pytest.raises(BadInput, match="2 to 9"):
        open_judgement(wish(make_policies("base")), researcher)


def test_a_policy_without_weights_is_not_judged(researcher: User, judges: list[Labeler]) -> None:
    make_test_prompts(3)
    policies = make_policies("base", "sft")
    policies[1].weights_deleted_at = timezone.now()
    policies[1].save()
    with pytest.raises(BadInput, match="The weights of “sft” were deleted"):
        open_judgement(wish(policies), researcher)
