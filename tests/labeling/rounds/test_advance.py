"""A round does what is due, once, whoever rings and however often."""

import threading
from typing import Any

import pytest
from django.db import connections

from labeling.demonstrations.submit import submit
from labeling.errors import Conflict
from labeling.models import Batch, Labeler, Round, Stage, User
from labeling.queue import dispatch
from labeling.rounds import advance, take_up
from tests.labeling.rounds.conftest import make_round
from training.models import Checkpoint, Run


def stage(round_: Round, name: str) -> Stage:
    return round_.stages.select_related("run", "batch").get(name=name)


def states(round_: Round) -> dict[str, str]:
    return {row.name: row.state for row in round_.stages.all() if row.state != Stage.State.PENDING}


def end_run(round_: Round, name: str, **result: Any) -> None:
    """As the trainer leaves the row when the recipe is done."""
    run = stage(round_, name).run
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, result=result)
    kind = Checkpoint.Kind.REWARD_MODEL if name == "reward_model" else Checkpoint.Kind.POLICY
    Checkpoint.objects.create(run=run, name=name, kind=kind, path=f"runs/{run.pk}/checkpoint")


def write_all(labeler: Labeler) -> None:
    while assignment := dispatch.claim(labeler, "demonstrate"):
        submit(labeler, assignment.pk, "An answer.")


def test_what_needs_nothing_starts_and_the_rest_waits(round_: Round) -> None:
    advance.advance(round_.pk)
    assert states(round_) == {"pretrain": "running", "demonstrate": "running"}
    assert stage(round_, "pretrain").run.state == Run.State.QUEUED  # type: ignore[union-attr]
    assert stage(round_, "demonstrate").batch.items.count() == 4  # type: ignore[union-attr]


def test_ringing_twice_changes_nothing(round_: Round) -> None:
    for _ in range(3):
        advance.advance_all()
    assert (Run.objects.count(), Batch.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_start_a_stage_once(researcher: User) -> None:
    round_ = make_round(researcher)
    barrier = threading.Barrier(8)

    def ring() -> None:
        barrier.wait()
        try:
            advance.advance(round_.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ring) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Run.objects.count(), Batch.objects.count()) == (1, 1)
    assert states(round_) == {"pretrain": "running", "demonstrate": "running"}


def test_sft_waits_for_both_the_base_and_the_people(round_: Round, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    write_all(labeler)
    advance.advance(round_.pk)
    assert states(round_)["demonstrate"] == "done"
    assert "sft" not in states(round_)
    end_run(round_, "pretrain")
    advance.advance(round_.pk)
    run = stage(round_, "sft").run
    assert run is not None
    assert run.inputs.get(name="demonstrations").dataset.rows == 4
    assert run.parents.get(role="policy").checkpoint.run == stage(round_, "pretrain").run


def test_a_withdrawn_item_does_not_hold_the_round_up(round_: Round, labeler: Labeler) -> None:
    advance.advance(round_.pk)
    item = stage(round_, "demonstrate").batch.items.first()  # type: ignore[union-attr]
    assert item is not None
    dispatch.withdraw(item)
    write_all(labeler)
    advance.advance(round_.pk)
    assert states(round_)["demonstrate"] == "done"


def test_a_failed_run_ends_the_round_with_its_sentence_and_can_be_tried_again(round_: Round) -> None:
    advance.advance(round_.pk)
    run = stage(round_, "pretrain").run
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED, error="The disk is full.")
    advance.advance(round_.pk)
    round_.refresh_from_db()
    failed = stage(round_, "pretrain")
    assert (round_.state, failed.state, failed.note) == ("failed", "failed", "The disk is full.")

    take_up.retry(failed)
    round_.refresh_from_db()
    run.refresh_from_db()
    assert (round_.state, stage(round_, "pretrain").state, run.state) == ("running", "running", "queued")
    end_run(round_, "pretrain")
    advance.advance(round_.pk)
    assert states(round_)["pretrain"] == "done"


def test_what_cannot_start_fails_with_a_sentence_and_can_be_tried_again(round_: Round, labeler: Labeler) -> None:
    """All demonstrations were withdrawn: there is nothing to fine-tune on."""
    advance.advance(round_.pk)
    items = list(stage(round_, "demonstrate").batch.items.all())  # type: ignore[union-attr]
    for item in items:
        dispatch.withdraw(item)
    end_run(round_, "pretrain")
    advance.advance(round_.pk)
    failed = stage(round_, "sft")
    assert failed.state == Stage.State.FAILED
    assert failed.note == "There are no demonstrations to freeze with this choice."
    assert failed.run is None
    take_up.retry(failed)
    assert stage(round_, "sft").state == Stage.State.PENDING


def test_only_a_failed_stage_can_be_tried_again(round_: Round) -> None:
    advance.advance(round_.pk)
    with pytest.raises(Conflict):
        take_up.retry(stage(round_, "pretrain"))


def bring_to_the_gate(round_: Round, **result: Any) -> None:
    for name in ("pretrain", "demonstrate", "sft", "sample", "rank", "rank_valid", "reward_model"):
        round_.stages.filter(name=name).update(state=Stage.State.DONE, result=result if name == "reward_model" else {})


@pytest.mark.parametrize(
    ("result", "state"),
    [
        ({"best_of_n_win_rate": 0.62, "best_of_n_win_rate_low": 0.51}, "done"),
        ({"best_of_n_win_rate": 0.62, "best_of_n_win_rate_low": 0.49}, "held"),
        ({"best_of_n_win_rate": 0.40, "best_of_n_win_rate_low": 0.31}, "held"),
        ({}, "held"),
    ],
)
def test_ppo_waits_for_a_person_where_best_of_n_does_not_win(
    round_: Round, result: dict[str, float], state: str
) -> None:
    bring_to_the_gate(round_, **result)
    advance._judge_gate(round_, stage(round_, "gate"))
    gate = stage(round_, "gate")
    assert gate.state == state
    assert bool(gate.note) == (state == "held")


def test_a_person_lets_a_held_gate_pass_once(round_: Round) -> None:
    bring_to_the_gate(round_)
    advance._judge_gate(round_, stage(round_, "gate"))
    take_up.go_on(stage(round_, "gate"))
    gate = stage(round_, "gate")
    assert gate.state == Stage.State.DONE
    assert gate.note.endswith("A person let it go on.")
    with pytest.raises(Conflict):
        take_up.go_on(gate)


def test_a_round_that_is_over_is_left_alone(round_: Round) -> None:
    Round.objects.filter(pk=round_.pk).update(state=Round.State.FAILED)
    advance.advance(round_.pk)
    assert states(round_) == {}
