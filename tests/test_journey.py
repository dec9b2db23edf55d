"""The whole loop on real parts, with everything dying on the way: PostgreSQL, Redis, Celery, recipes, simulated people.

One round goes from prompts to the new policy's samples in the queue. Meanwhile the trainer and its recipe are killed
with SIGKILL in the middle of sft, reward_model and ppo, and Redis loses everything it holds. Then the weights are
compared with those of the same runs without an accident.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from labeling.models import Assignment, Cohort, Completion, Labeler, Ranking, Round, Stage, User, WorkItem
from labeling.rankings.cards import cards
from labeling.rounds import report, take_up
from labeling.rounds.plan import POLICIES
from labeling.simulation import demo, demo_report
from labeling.simulation.sizes import TOY, Size
from tests.processes import Workers, redis_server, wait_until
from training import storage
from training.models import Checkpoint, Run

KILLED = ("sft", "reward_model", "ppo")

TINY: Size = dataclasses.replace(
    TOY,
    name="tiny",
    documents=2_000,
    valid_documents=100,
    demonstration_prompts=80,
    ranking_prompts=60,
    valid_ranking_prompts=12,
    test_prompts=15,
    new_ranking_prompts=6,
    pretrain={**TOY.pretrain, "hidden_size": 48, "steps": 60, "threads": 1},
    sft={**TOY.sft, "epochs": 8, "save_every": 4},
    reward_model={**TOY.reward_model, "epochs": 8, "batch_size": 8, "save_every": 4},
    ppo={**TOY.ppo, "total_episodes": 32 * 6, "batch_size": 32, "minibatch_size": 16, "save_every": 1},
)


@pytest.mark.timeout(480)
@pytest.mark.django_db(transaction=True)
def test_a_round_survives_its_accidents_and_ends_with_the_same_weights(tmp_path: Path) -> None:
    demo.make_accounts("a password for the journey")
    with redis_server(tmp_path / "redis") as url:
        workers = Workers(url, tmp_path)
        try:
            round = _run_round(workers, redis.Redis.from_url(url), tmp_path)
        finally:
            workers.end()
    assert [stage.state for stage in round.stages.all()] == [Stage.State.DONE] * 20
    _check_lineage(round)
    _check_the_queue_afterwards(round)
    _check_report(round)
    for name in KILLED:
        run = round.stages.get(name=name).run
        assert run is not None
        assert run.attempts >= 2, f"{name} was not killed"
        assert _weights(storage.run_folder(run.pk)) == _weights(_run_alone(run, tmp_path)), name


def _run_round(workers: Workers, broker: "redis.Redis", tmp_path: Path) -> Round:
    workers.worker()
    workers.beat(tmp_path)
    trainer = workers.trainer()
    round = demo.find_or_open_round(TINY, 3)
    people = demo.labelers(TINY, 3)
    to_kill, to_flush = set(KILLED), True

    def is_over() -> bool:
        nonlocal trainer, to_flush
        for stage in round.stages.filter(state=Stage.State.HELD):
            take_up.go_on(stage)
        demo.do_peoples_work(round, people, on_label=lambda: None)
        for stage in round.stages.filter(state=Stage.State.RUNNING, name__in=to_kill).select_related("run"):
            assert stage.run is not None
            pid = _recipe_in_the_middle(stage.run)
            if pid:
                to_kill.discard(stage.name)
                trainer.kill()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                trainer.wait()
                trainer = workers.trainer()
        if to_flush and round.stages.get(name="sample").state == Stage.State.RUNNING:
            to_flush = False
            broker.flushall()
        round.refresh_from_db()
        return round.state != Round.State.RUNNING

    wait_until(is_over, 400, "the end of the round")
    notes = [f"{stage.name}: {stage.note}" for stage in round.stages.filter(state=Stage.State.FAILED)]
    assert round.state == Round.State.DONE, notes
    assert not to_kill
    assert not to_flush
    return round


def _recipe_in_the_middle(run: Run) -> int:
    """The pid of the run's recipe once it has saved its state and is not near its end; else 0."""
    folder = storage.run_folder(run.pk)
    with contextlib.suppress(OSError, ValueError):
        status: dict[str, Any] = json.loads((folder / "status.json").read_text())
        saved = (folder / "state").is_dir() and any((folder / "state").iterdir())
        if saved and status["state"] == "running" and status["step"] < 0.8 * status["total"]:
            return int(status["pid"])
    return 0


def _run_alone(run: Run, tmp_path: Path) -> Path:
    """The same run.json, in an artifact folder of its own, undisturbed."""
    root = tmp_path / "alone"
    if not root.exists():
        shutil.copytree(settings.ARTIFACT_ROOT, root, ignore=shutil.ignore_patterns("state"))
    folder = root / "runs" / str(run.pk)
    for path in folder.iterdir():
        if path.name != "run.json":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    subprocess.run(
        [sys.executable, "-m", f"training.recipes.{run.recipe}", "--run-dir", str(folder)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    return folder


def _weights(folder: Path) -> str:
    return hashlib.sha256((folder / "checkpoint" / "model.safetensors").read_bytes()).hexdigest()


def _check_lineage(round: Round) -> None:
    """From the new policy's weights back to the labels: every step of the way is a row."""
    policy = Checkpoint.objects.get(run__stage__round=round, run__stage__name="ppo_ptx")
    assert policy.run is not None
    parents = {parent.role: parent.checkpoint for parent in policy.run.parents.all()}
    assert set(parents) == {"policy", "reward_model"}
    model_run = parents["reward_model"].run
    assert model_run is not None
    rankings = model_run.inputs.get(name="rankings").dataset
    ranked = Ranking.objects.filter(item__batch__stage__name="rank", item__batch__stage__round=round)
    assert rankings.rows == ranked.count() == TINY.ranking_prompts + round_half_up(0.12 * TINY.ranking_prompts)
    assert not ranked.filter(frozen_at=None).exists()
    sft_run = parents["policy"].run
    assert sft_run is not None
    assert sft_run.inputs.get(name="demonstrations").dataset.rows == TINY.demonstration_prompts


def round_half_up(value: float) -> int:
    return int(value + 0.5)


def _check_the_queue_afterwards(round: Round) -> None:
    """What the loop promises people: new samples to rank, judged blind by those who never trained anything."""
    fresh = WorkItem.objects.filter(batch__stage__round=round, batch__stage__name="requeue")
    assert fresh.count() == fresh.filter(is_open=True).count() <= TINY.new_ranking_prompts
    new_policy = Checkpoint.objects.get(run__stage__round=round, run__stage__name="ppo_ptx")
    for item in fresh:
        assert {row.checkpoint_id for row in Completion.objects.filter(pk__in=_completions_of(item))} == {new_policy.pk}
    judged = Ranking.objects.filter(item__batch__stage__round=round, item__batch__stage__name="judge")
    assert {ranking.labeler.cohort for ranking in judged} == {Cohort.HELD_OUT}
    trained_on = Ranking.objects.filter(item__batch__stage__round=round, item__batch__stage__name="rank")
    assert {ranking.labeler.cohort for ranking in trained_on} == {Cohort.TRAINING}
    per_labeler = Assignment.objects.filter(item__batch__stage__round=round).values_list("labeler_id", "item_id")
    assert len(per_labeler) == len(set(per_labeler)), "a labeler got an item twice"
    person = Labeler.objects.get(user=User.objects.get(email=demo.LABELER))
    _a_person_can_rank(person)


def _completions_of(item: WorkItem) -> list[int]:
    return list(item.completions.values_list("pk", flat=True))


def _a_person_can_rank(person: Labeler) -> None:
    from labeling.guidelines.acknowledge import acknowledge_all
    from labeling.queue import dispatch
    from labeling.rankings.submit import submit

    assignment = dispatch.claim(acknowledge_all(person), "rank")
    assert assignment is not None
    shown = cards(assignment)
    ranking = submit(person, assignment.pk, {card.number: card.number for card in shown})
    assert ranking.labeler == person


def _check_report(round: Round) -> None:
    found = demo_report.of_demo(round, TINY)
    assert set(found["seconds"]) == set(round.stages.values_list("name", flat=True))
    assert {(row["policy"], row["other"]) for row in found["win_rates"]} == set(report.PAIRS)
    for row in found["win_rates"]:
        assert 0 <= row["low"] <= row["rate"] <= row["high"] <= 1
        assert row["prompts"] == TINY.test_prompts
    assert set(found["lm_loss"]) == set(POLICIES)
    assert found["alignment_tax"]["base"] == 0
    assert 0 <= found["reward_model_accuracy"] <= 1
    assert found["skill"]["ppo_ptx"]["completions"] == TINY.test_prompts
    assert json.loads(json.dumps(found)) == found
