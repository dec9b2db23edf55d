"""Best of n: against every candidate scored by plain transformers."""

import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.training.recipes import by_hand
from tests.training.recipes.test_resume import start, wait_until
from tests.training.recipes.world import World, finish, prompts
from training.contract.rows import read_rows
from training.contract.status import read_status
from training.recipes import best_of_n as recipe

SPEC = {"n": 5, "response_length": 12, "batch_size": 15, "threads": 1}
PARENTS = {"policy": "sft", "reward_model": "rm"}


def lay_out(world: World, run_id: str, count: int, **changes: Any) -> Path:
    inputs = {"prompts": world.dataset(f"first{count}", "prompts", prompts(count))}
    return world.run(run_id, "best_of_n", SPEC | changes, inputs, PARENTS)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return read_rows(folder / "samples.jsonl", "completions")


def test_the_best_of_the_samples_that_a_sample_run_writes(world: World) -> None:
    """A sample run of the same seed and batch writes all n; their rewards come from a plain sequence classifier."""
    folder = lay_out(world, "run", 8, response_length=6)
    result = finish("best_of_n", folder)
    inputs = {"prompts": world.dataset("first8", "prompts", prompts(8))}
    spec = {"samples_per_prompt": 5, "response_length": 6, "batch_size": 15}
    finish("sample", world.run("all", "sample", spec, inputs, {"policy": "sft"}))
    candidates = rows_of(world.root / "runs" / "all")

    sft, rm = (world.root / "runs" / name / "checkpoint" for name in ("sft", "rm"))
    end = by_hand.ids_of(sft, "", "")[1][-1]
    read = [
        [*by_hand.ids_of(sft, row["prompt"], "")[0], *row["token_ids"], *([] if row["finished"] else [end])]
        for row in candidates
    ]
    rewards = by_hand.rewards(rm, read)
    assert any(row["finished"] for row in candidates) and not all(row["finished"] for row in candidates)
    for number, row in enumerate(rows_of(folder)):
        of_prompt = rewards[5 * number : 5 * number + 5]
        assert row["reward"] == pytest.approx(max(of_prompt), abs=1e-4)
        assert row["mean_reward"] == pytest.approx(statistics.fmean(of_prompt), abs=1e-4)
        best = candidates[5 * number + row["sample"]]
        assert of_prompt[row["sample"]] == pytest.approx(max(of_prompt), abs=1e-4)
        assert {name: row[name] for name in best} == best
    best_rewards = [max(rewards[start : start + 5]) for start in range(0, 40, 5)]
    assert result["reward_best"] == pytest.approx(statistics.fmean(best_rewards), abs=1e-4)
    assert result["reward_random"] == pytest.approx(statistics.fmean(rewards), abs=1e-4)
    assert result["reward_best"] > result["reward_random"] + 0.1
    assert result["kl"] == pytest.approx(0.809438, abs=1e-6)  # log 5 - 4/5
    assert (result["prompts"], result["n"]) == (8, 5)


@pytest.mark.parametrize(
    ("n", "nats"), [(1, 0.0), (2, 0.193147), (4, 0.636294), (16, 1.835089), (64, 3.174508), (512, 5.240278)]
)
def test_the_distance_of_the_best_of_n(n: int, nats: float) -> None:
    assert recipe.kl_of_best_of_n(n) == pytest.approx(nats, abs=1e-6)


def test_the_distance_is_that_of_the_maximum_of_n_draws() -> None:
    """By hand: the best of n of a continuous distribution has the density n u^(n-1) of its rank u; the KL is the
    integral of n u^(n-1) log(n u^(n-1)) over 0 to 1, here by the midpoint rule."""
    for n in (2, 5, 16):
        points = [(i + 0.5) / 100_000 for i in range(100_000)]
        integral = statistics.fmean(n * u ** (n - 1) * math.log(n * u ** (n - 1)) for u in points)
        assert recipe.kl_of_best_of_n(n) == pytest.approx(integral, abs=1e-4)


def test_the_best_of_one_is_a_random_one(world: World) -> None:
    result = finish("best_of_n", lay_out(world, "run", 8, n=1))
    assert result["reward_best"] == result["reward_random"]
    assert result["kl"] == 0


def test_a_policy_for_a_judge_is_refused(world: World) -> None:
    inputs = {"prompts": world.dataset("first8", "prompts", prompts(8))}
    folder = world.run("bad", "best_of_n", SPEC, inputs, {"policy": "sft", "reward_model": "sft"})
    assert recipe.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None and "runs/sft/checkpoint is not a reward model" in str(status["error"])


def test_killed_and_resumed_gives_the_same_rows(world: World) -> None:
    undisturbed = lay_out(world, "undisturbed", 400)
    expected = finish("best_of_n", undisturbed)
    killed = lay_out(world, "killed", 400)
    samples = killed / "samples.jsonl"
    process = start("best_of_n", killed)
    wait_until(process, killed, lambda: samples.exists() and samples.stat().st_size > 10_000)
    process.kill()
    process.wait()
    written = samples.read_text()
    assert 3 < written.count("\n") < 400
    samples.write_text(written + '{"prompt_id": "p')
    assert finish("best_of_n", killed) == expected
    assert samples.read_text() == (undisturbed / "samples.jsonl").read_text()
