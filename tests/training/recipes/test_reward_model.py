import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import REWARD_MODEL
from tests.training.recipes.world import World, curves, demonstrations, finish, rankings
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.trees import Tree, pack


def lay_out(
    world: World,
    rows: Sequence[Mapping[str, Any]],
    spec: Mapping[str, Any],
    held_out: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    inputs = {
        "rankings": world.dataset("ranked", "rankings", rows),
        "valid_rankings": world.dataset("held_out", "rankings", held_out or rankings(16, seed=9)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    return world.run("run", "reward_model", spec, inputs, {"policy": "sft"})


def scores_of(checkpoint: Path, row: Mapping[str, Any]) -> list[float]:
    pairs = [by_hand.ids_of(checkpoint, row["prompt"], completion) for completion in row["completions"]]
    return by_hand.rewards(checkpoint, [prompt + completion for prompt, completion in pairs])


def margins(scores: Sequence[float], ranks: Sequence[int]) -> list[float]:
    """Winner less loser, for every pair that is not tied."""
    return [scores[i] - scores[j] for i in range(len(ranks)) for j in range(len(ranks)) if ranks[i] < ranks[j]]


def loss(margin: float) -> float:
    return math.log1p(math.exp(-margin))


def test_the_loss_is_the_mean_over_a_prompts_pairs_then_over_prompts(world: World) -> None:
    """Ties count for nothing, and two people's rankings of one prompt are one element: all their pairs, one mean.

    The learning rate is too small to move a weight, so that the checkpoint is the model that the loss was taken of.
    """
    rows = rankings(6)
    second = rows[0] | {"ranking_id": "again", "labeler": "l9", "ranks": [1, 2, 3, 4]}
    folder = lay_out(world, [*rows, second], {"epochs": 1, "batch_size": 6, "lr": 1e-30, "micro_batch_tokens": 150})
    result = finish("reward_model", folder)
    per_prompt = []
    for row in rows:
        scores = scores_of(folder / "checkpoint", row)
        found = margins(scores, row["ranks"]) + (margins(scores, [1, 2, 3, 4]) if row is rows[0] else [])
        per_prompt.append(statistics.fmean(loss(margin) for margin in found))
    [step] = curves(folder)[:1]
    assert step["loss/train"] == pytest.approx(statistics.fmean(per_prompt), abs=1e-5)
    assert (result["prompts"], result["comparisons"]) == (6, 6 * 5 + 6)


def test_demonstrations_have_the_mean_0_in_the_checkpoint_that_others_open(world: World) -> None:
    """As read by a plain sequence classifier of transformers, head and bias from the files."""
    folder = lay_out(world, rankings(24), REWARD_MODEL | {"unit_std": False})
    result = finish("reward_model", folder)
    rows = [[*a, *b] for a, b in (by_hand.ids_of(folder / "checkpoint", **texts) for texts in people())]
    assert statistics.fmean(by_hand.rewards(folder / "checkpoint", rows)) == pytest.approx(0, abs=1e-5)
    assert result["demonstration_mean"] == pytest.approx(0, abs=1e-6)


def people() -> list[dict[str, str]]:
    return [{"prompt": row["prompt"], "completion": row["completion"]} for row in demonstrations(8)]


def test_unit_std_gives_the_ranked_completions_the_spread_1(world: World) -> None:
    rows = rankings(24)
    folder = lay_out(world, rows, REWARD_MODEL)
    result = finish("reward_model", folder)
    scores = [score for row in rows for score in scores_of(folder / "checkpoint", row)]
    assert statistics.pstdev(scores) == pytest.approx(1, abs=1e-4)
    assert result["completion_mean"] == pytest.approx(statistics.fmean(scores), abs=1e-4)


def test_held_out_figures_are_those_of_the_checkpoint(world: World) -> None:
    """Accuracy and loss over explicit pairs, best-of-n against the labeler's own ranks; and it has learned."""
    folder = lay_out(world, rankings(96), REWARD_MODEL | {"unit_std": False})
    result = finish("reward_model", folder)
    held_out = rankings(16, seed=9)
    scored = [(scores_of(folder / "checkpoint", row), row["ranks"]) for row in held_out]
    pairs = [margin for scores, ranks in scored for margin in margins(scores, ranks)]
    assert result["valid_accuracy"] == pytest.approx(sum(margin > 0 for margin in pairs) / len(pairs), abs=1e-6)
    losses = [statistics.fmean(loss(margin) for margin in margins(*one)) for one in scored]
    assert result["valid_loss"] == pytest.approx(statistics.fmean(losses), abs=1e-4)
    # Ranks 1, 2, 2, 3: against a random other one the first always wins, a second does so in half of the cases.
    worth = {1: 1.0, 2: 0.5, 3: 0.0}
    wins = [worth[ranks[scores.index(max(scores))]] for scores, ranks in scored]
    assert result["best_of_n_win_rate"] == pytest.approx(statistics.fmean(wins), abs=1e-6)
    assert result["valid_accuracy"] > 0.7


def of_many_kinds() -> list[dict[str, Any]]:
    """Two use cases, two cohorts (a second opinion on every prompt), K = 3 and 4."""
    first = [row | {"use_case": ("chat", "open_qa")[i % 2]} for i, row in enumerate(rankings(16, seed=9))]
    second = [
        row
        | {"ranking_id": f"again{i}", "labeler": "h1", "cohort": "held_out"}
        | {"completions": row["completions"][:3], "ranks": [1, 2, 3]}
        for i, row in enumerate(first)
    ]
    return [*first, *second]


def test_groups_are_measured_on_their_own_rankings(world: World) -> None:
    """validation.json, row by row, against explicit pairs of the checkpoint's scores."""
    rows = of_many_kinds()
    folder = lay_out(world, rankings(96), REWARD_MODEL | {"unit_std": False}, rows)
    result = finish("reward_model", folder)
    table = json.loads((folder / "validation.json").read_text())["groups"]
    assert [(row["group"], row["value"]) for row in table] == [
        ("all", ""),
        ("cohort", "held_out"),
        ("cohort", "training"),
        ("k", 3),
        ("k", 4),
        ("use_case", "chat"),
        ("use_case", "open_qa"),
    ]
    margins_of = {one["ranking_id"]: margins(scores_of(folder / "checkpoint", one), one["ranks"]) for one in rows}
    for row in table:
        members = [one for one in rows if row["group"] == "all" or row["value"] == group_of(one, row["group"])]
        scored = [margins_of[one["ranking_id"]] for one in members]
        pairs = [margin for found in scored for margin in found]
        assert (row["rankings"], row["comparisons"], row["prompts"]) == (
            len(members),
            len(pairs),
            len(prompts(members)),
        )
        assert row["accuracy"] == pytest.approx(sum(margin > 0 for margin in pairs) / len(pairs), abs=1e-9)
        losses = [statistics.fmean(loss(margin) for margin in found) for found in scored]
        assert row["log_loss"] == pytest.approx(statistics.fmean(losses), abs=1e-4)
        assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    overall = [table[0][name] for name in ("accuracy", "accuracy_low", "accuracy_high")]
    found = [result[name] for name in ("valid_accuracy", "valid_accuracy_low", "valid_accuracy_high")]
    assert found == pytest.approx(overall, abs=1e-6)


def group_of(row: Mapping[str, Any], group: str) -> object:
    return len(row["completions"]) if group == "k" else row[group]


def prompts(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    return {row["prompt_id"] for row in rows}


def test_the_reliability_table_is_of_the_checkpoint(world: World) -> None:
    rows = of_many_kinds()
    folder = lay_out(world, rankings(96), REWARD_MODEL | {"unit_std": False}, rows)
    result = finish("reward_model", folder)
    calibration = json.loads((folder / "validation.json").read_text())["calibration"]
    pairs = [margin for one in rows for margin in margins(scores_of(folder / "checkpoint", one), one["ranks"])]
    gaps = 0.0
    for row in calibration["bins"]:
        inside = [margin for margin in pairs if row["low"] <= 1 / (1 + math.exp(-abs(margin))) < row["high"]]
        assert row["count"] == len(inside)
        assert row["observed"] == pytest.approx(sum(margin > 0 for margin in inside) / len(inside), abs=1e-9)
        predicted = statistics.fmean(1 / (1 + math.exp(-abs(margin))) for margin in inside)
        assert row["predicted"] == pytest.approx(predicted, abs=1e-4)
        gaps += len(inside) * abs(row["observed"] - predicted)
    assert sum(row["count"] for row in calibration["bins"]) == len(pairs)
    assert calibration["expected_calibration_error"] == pytest.approx(gaps / len(pairs), abs=1e-4)
    assert result["valid_calibration_error"] == pytest.approx(gaps / len(pairs), abs=1e-4)


def test_the_head_survives_saving_and_normalizing_changes_no_comparison(world: World) -> None:
    """Read back with the head of its own: the demonstrations' mean is 0, the loss is that of before the shift."""
    folder = lay_out(world, rankings(24), REWARD_MODEL | {"unit_std": False})
    result = finish("reward_model", folder)
    tokenizer = load_tokenizer(folder / "checkpoint")
    model = load_scalar_model(folder / "checkpoint", tokenizer, torch.device("cpu"))

    @torch.no_grad()
    def score(prompt: str, completion: str) -> float:
        before, after = by_hand.ids_of(folder / "checkpoint", prompt, completion)
        return model.score(pack([Tree(before + after)])).item()

    assert statistics.fmean(score(**texts) for texts in people()) == pytest.approx(0, abs=1e-6)
    assert abs(result["reward_bias"]) > 1e-3  # there was something to shift
    held_out = [
        margins([score(row["prompt"], completion) for completion in row["completions"]], row["ranks"])
        for row in rankings(16, seed=9)
    ]
    losses = [statistics.fmean(loss(margin) for margin in found) for found in held_out]
    assert result["valid_loss"] == pytest.approx(statistics.fmean(losses), abs=2e-6)
