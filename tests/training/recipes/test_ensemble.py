"""An ensemble from its training to what it scores, against its heads read from the files by plain torch."""

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import PPO, REWARD_MODEL, copy_of
from tests.training.recipes.test_resume import start, wait_until
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, rankings
from training.contract.rows import read_rows
from training.contract.status import read_status
from training.recipes import score as score_recipe
from training.rlhf.packing import endless_order

HEADS = 4
HELD_OUT = rankings(16, seed=9)


@pytest.fixture(scope="module")
def judged(trained: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With an ensemble, the run "many", and completions by the policy, the run "answers"."""
    world = copy_of(trained, tmp_path_factory.mktemp("ensemble"))
    inputs = {
        "rankings": world.dataset("ranked", "rankings", rankings(96)),
        "valid_rankings": world.dataset("held_out", "rankings", HELD_OUT),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    # Short, so that it gets some pairs wrong.
    spec = REWARD_MODEL | {"epochs": 1, "lr": 1e-3, "heads": HEADS}
    finish("reward_model", world.run("many", "reward_model", spec, inputs, {"policy": "sft"}))
    asked = {"prompts": world.dataset("asked", "prompts", prompts(8))}
    spec = {"samples_per_prompt": 3, "response_length": 6}
    finish("sample", world.run("answers", "sample", spec, asked, {"policy": "sft"}))
    return world


@torch.no_grad()
def by_head(checkpoint: Path, rows: list[list[int]]) -> list[list[float]]:
    """The rewards of plain rows by each head, from the last hidden state."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    heads = load_file(checkpoint / "heads" / "heads.safetensors")["weight"]
    states = torch.stack([model.model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1] for ids in rows])
    return (states @ heads.T - torch.tensor(model.config.head_biases)).tolist()


def read_as_ended(checkpoint: Path, row: dict[str, Any]) -> list[int]:
    before, after = by_hand.ids_of(checkpoint, row["prompt"], row["completion"])
    return [*before, *after]


def test_the_figures_of_validation_are_those_of_the_heads(judged: World) -> None:
    """Accuracies from the files; the spreads were measured before unit_std scaled everything by one number."""
    folder = judged.root / "runs" / "many"
    status = read_status(folder / "status.json")
    assert status is not None and status["result"] is not None
    result, checkpoint = status["result"], folder / "checkpoint"
    margins = []
    for row in HELD_OUT:
        texts = [{"prompt": row["prompt"], "completion": completion} for completion in row["completions"]]
        scores = torch.tensor(by_head(checkpoint, [read_as_ended(checkpoint, text) for text in texts]))
        ranks = row["ranks"]
        margins += [scores[i] - scores[j] for i in range(4) for j in range(4) if ranks[i] < ranks[j]]
    table = torch.stack(margins)  # [pairs, heads]
    right = table.mean(1) > 0
    assert result["valid_accuracy"] == pytest.approx(right.float().mean().item(), abs=1e-6)
    assert result["valid_head_accuracy"] == pytest.approx((table > 0).float().mean().item(), abs=1e-6)
    spreads = table.std(1, correction=0)
    wrong_over_right = (spreads[~right].mean() / spreads[right].mean()).item()
    assert result["valid_spread_wrong"] / result["valid_spread_right"] == pytest.approx(wrong_over_right, abs=1e-3)
    written = json.loads((folder / "validation.json").read_text())["ensemble"]
    assert written == pytest.approx(
        {
            "accuracy": result["valid_accuracy"],
            "head_accuracy": result["valid_head_accuracy"],
            "spread_right": result["valid_spread_right"],
            "spread_wrong": result["valid_spread_wrong"],
        },
        abs=1e-6,
    )
    assert curves(folder)[-1]["val/head_accuracy"] == pytest.approx(result["valid_head_accuracy"], abs=1e-6)


def test_every_head_has_its_zero_at_the_demonstrations(judged: World) -> None:
    checkpoint = judged.root / "runs" / "many" / "checkpoint"
    scores = torch.tensor(by_head(checkpoint, [read_as_ended(checkpoint, row) for row in demonstrations(8)]))
    assert scores.mean(0).tolist() == pytest.approx([0.0] * HEADS, abs=1e-5)


def test_ppo_reports_how_far_the_heads_are_apart(judged: World) -> None:
    """Over the completions of the first iteration, which a sample run of the same seed and order writes out."""
    rows = prompts(32)
    asked = {"prompts": judged.dataset("thirty-two", "prompts", rows)}
    spec = PPO | {"total_episodes": 32}
    folder = judged.run("ppo-many", "ppo", spec, asked, {"policy": "sft", "reward_model": "many"})
    finish("ppo", folder)
    ordered = {"prompts": judged.dataset("ordered", "prompts", [rows[i] for i in endless_order(32, 1, 0, 32)])}
    spec = {"samples_per_prompt": 1, "response_length": 12}
    finish("sample", judged.run("rolled-out", "sample", spec, ordered, {"policy": "sft"}))
    sampled = read_rows(judged.root / "runs" / "rolled-out" / "samples.jsonl", "completions")
    checkpoint = judged.root / "runs" / "many" / "checkpoint"
    end = by_hand.ids_of(checkpoint, "", "")[1]
    scores = by_head(
        checkpoint,
        [
            [*by_hand.ids_of(checkpoint, row["prompt"], "")[0], *row["token_ids"], *([] if row["finished"] else end)]
            for row in sampled
        ],
    )
    [found] = curves(folder)
    assert found["objective/score_spread"] == pytest.approx(statistics.fmean(map(statistics.pstdev, scores)), abs=1e-4)
    assert found["objective/scores"] == pytest.approx(statistics.fmean(map(statistics.fmean, scores)), abs=1e-4)
    alone = judged.run("ppo-one", "ppo", PPO | {"total_episodes": 32}, asked, {"policy": "sft", "reward_model": "rm"})
    finish("ppo", alone)
    assert "objective/score_spread" not in curves(alone)[0]


def test_the_best_of_n_says_how_far_the_heads_are_apart_on_it(judged: World) -> None:
    asked = {"prompts": judged.dataset("eight", "prompts", prompts(8))}
    spec = {"n": 4, "response_length": 12}
    folder = judged.run("best", "best_of_n", spec, asked, {"policy": "sft", "reward_model": "many"})
    result = finish("best_of_n", folder)
    rows = read_rows(folder / "samples.jsonl", "completions")
    checkpoint = judged.root / "runs" / "many" / "checkpoint"
    end = by_hand.ids_of(checkpoint, "", "")[1]
    read = [
        [*by_hand.ids_of(checkpoint, row["prompt"], "")[0], *row["token_ids"], *([] if row["finished"] else end)]
        for row in rows
    ]
    scores = by_head(checkpoint, read)
    assert [row["reward"] for row in rows] == pytest.approx([statistics.fmean(of) for of in scores], abs=1e-4)
    assert [row["spread"] for row in rows] == pytest.approx([statistics.pstdev(of) for of in scores], abs=1e-4)
    assert result["spread_best"] == pytest.approx(statistics.fmean(row["spread"] for row in rows), abs=1e-5)


def scored(world: World, name: str, judges: dict[str, str], **spec: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answers = read_rows(world.root / "runs" / "answers" / "samples.jsonl", "completions")
    numbered = [{**row, "completion_id": 7 * at} for at, row in enumerate(answers)]  # a field that is no recipe's
    inputs = {"completions": world.dataset("answers", "completions", numbered)}
    folder = world.run(name, "score", spec, inputs, judges)
    return finish("score", folder), read_rows(folder / "samples.jsonl", "completions")


def test_members_are_all_heads_of_all_reward_models(judged: World) -> None:
    """Four heads of one and the one of another: their mean and standard deviation, on rows otherwise as they were."""
    result, rows = scored(judged, "scored", {"reward_model": "many", "reward_model_2": "rm"}, batch_size=5)
    answers = read_rows(judged.root / "runs" / "answers" / "samples.jsonl", "completions")
    many, one = (judged.root / "runs" / name / "checkpoint" for name in ("many", "rm"))
    read = [read_as_ended(many, row) for row in answers]
    for row, answer, heads, other in zip(rows, answers, by_head(many, read), by_hand.rewards(one, read), strict=True):
        members = [*heads, other]
        assert row["reward"] == pytest.approx(statistics.fmean(members), abs=1e-4)
        assert row["spread"] == pytest.approx(statistics.pstdev(members), abs=1e-4)
        assert row["head_rewards"] == pytest.approx(members, abs=1e-4)
        assert {name: row[name] for name in answer} == answer
    assert [row["completion_id"] for row in rows] == [7 * at for at in range(24)]
    assert (result["completions"], result["reward_models"], result["members"]) == (24, 2, 5)
    assert result["spread"] == pytest.approx(statistics.fmean(row["spread"] for row in rows), abs=1e-5)
    assert result["reward"] == pytest.approx(statistics.fmean(row["reward"] for row in rows), abs=1e-5)


def test_one_model_with_one_head_has_no_spread(judged: World) -> None:
    result, rows = scored(judged, "alone", {"reward_model": "rm"})
    assert (result["members"], result["spread"]) == (1, 0)
    assert {row["spread"] for row in rows} == {0}


def test_scoring_without_a_judge_is_refused(judged: World) -> None:
    inputs = {"completions": judged.dataset("none", "completions", [])}
    answers = read_rows(judged.root / "runs" / "answers" / "samples.jsonl", "completions")
    inputs = {"completions": judged.dataset("some", "completions", answers[:1])}
    folder = judged.run("no-judge", "score", {}, inputs, {"policy": "sft"})
    assert score_recipe.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None and "needs the parent 'reward_model'" in str(status["error"])


def test_scoring_killed_and_resumed_gives_the_same_rows(judged: World) -> None:
    answers = read_rows(judged.root / "runs" / "answers" / "samples.jsonl", "completions")
    inputs = {"completions": judged.dataset("much", "completions", answers * 25)}
    folders = [
        judged.run(name, "score", {"batch_size": 8, "threads": 1}, inputs, {"reward_model": "many"})
        for name in ("undisturbed", "killed")
    ]
    expected = finish("score", folders[0])
    samples = folders[1] / "samples.jsonl"
    process = start("score", folders[1])
    wait_until(process, folders[1], lambda: samples.exists() and samples.stat().st_size > 5_000)
    process.kill()
    process.wait()
    written = samples.read_text()
    assert 8 < written.count("\n") < 600
    samples.write_text(written + '{"prompt_id": "p')
    assert finish("score", folders[1]) == expected
    assert samples.read_text() == (folders[0] / "samples.jsonl").read_text()
