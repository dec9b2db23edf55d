import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.training.recipes import by_hand
from tests.training.recipes.world import World, finish, prompts, texts

SPEC = {"response_length": 12, "samples_per_prompt": 3, "batch_size": 100}


def sampled(world: World, name: str, seed: int = 1, **changes: Any) -> list[dict[str, Any]]:
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run(name, "sample", SPEC | changes, inputs, {"policy": "sft"}, seed)
    finish("sample", folder)
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def checkpoint(world: World, name: str) -> Path:
    return world.root / "runs" / name / "checkpoint"


def ids(world: World, row: dict[str, Any]) -> tuple[list[int], list[int]]:
    return by_hand.ids_of(checkpoint(world, "sft"), row["prompt"], "")[0], row["token_ids"]


def test_samples_carry_the_logprobs_of_the_policy(world: World) -> None:
    """K rows a prompt, in the prompts' order; log-probabilities as a plain forward pass gives them; `finished` says
    that the last token is the end token."""
    rows = sampled(world, "run", temperature=1.0)
    assert [(row["prompt_id"], row["sample"]) for row in rows] == [(f"p{i}", k) for i in range(8) for k in range(3)]
    expected = by_hand.completion_logprobs(checkpoint(world, "sft"), [ids(world, row) for row in rows])
    for row, logprobs in zip(rows, expected, strict=True):
        assert row["logprobs"] == pytest.approx(logprobs.tolist(), abs=1e-4)
    end = by_hand.ids_of(checkpoint(world, "sft"), "", "")[1][-1]
    assert [row["finished"] for row in rows] == [row["token_ids"][-1] == end for row in rows]
    assert all(len(row["token_ids"]) == 12 for row in rows if not row["finished"])


def test_a_seed_decides_the_samples_and_temperature_0_needs_none(world: World) -> None:
    def completions(name: str, seed: int, temperature: float) -> list[str]:
        return [row["completion"] for row in sampled(world, name, seed, temperature=temperature)]

    first = completions("first", 1, 1.0)
    assert completions("same", 1, 1.0) == first
    assert completions("other", 2, 1.0) != first
    greedy = completions("greedy", 1, 0.0)
    assert completions("greedy_other", 2, 0.0) == greedy
    assert all(len(set(greedy[i : i + 3])) == 1 for i in range(0, 24, 3))


def test_an_evaluation_gives_the_figures_of_plain_transformers(world: World) -> None:
    """Loss on text; KL and reward of completions, which are those that a sample run of the same seed writes."""
    rows = sampled(world, "samples")
    held_out = texts(30, seed=5)
    inputs = {
        "prompts": world.dataset("eight", "prompts", prompts(8)),
        "texts": world.dataset("held_out", "texts", held_out),
    }
    parents = {"policy": "sft", "reference": "base", "reward_model": "rm"}
    result = finish("evaluate", world.run("run", "evaluate", SPEC | {"block_size": 32}, inputs, parents))

    cut = by_hand.blocks(checkpoint(world, "sft"), [row["text"] for row in held_out], 32)
    assert result["lm_loss"] == pytest.approx(by_hand.text_loss(checkpoint(world, "sft"), cut), abs=1e-5)
    pairs = [ids(world, row) for row in rows]
    ours = by_hand.completion_logprobs(checkpoint(world, "sft"), pairs)
    theirs = by_hand.completion_logprobs(checkpoint(world, "base"), pairs)
    ratios = [float((a - b).sum()) for a, b in zip(ours, theirs, strict=True)]
    assert result["kl"] == pytest.approx(statistics.fmean(ratios), abs=1e-4)
    end = by_hand.ids_of(checkpoint(world, "sft"), "", "")[1][-1]
    read = [[*a, *b] if row["finished"] else [*a, *b, end] for (a, b), row in zip(pairs, rows, strict=True)]
    assert result["reward"] == pytest.approx(statistics.fmean(by_hand.rewards(checkpoint(world, "rm"), read)), abs=1e-4)
    assert result["finished_share"] == pytest.approx(statistics.fmean(row["finished"] for row in rows), abs=1e-6)
    assert result["mean_length"] == pytest.approx(statistics.fmean(len(row["token_ids"]) for row in rows), abs=1e-5)


def test_a_policy_has_no_distance_to_itself(world: World) -> None:
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run("run", "evaluate", SPEC, inputs, {"policy": "sft", "reference": "sft"})
    assert finish("evaluate", folder)["kl"] == 0
