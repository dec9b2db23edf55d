"""A proxy reward that is pushed too far (Gao et al. 2023): it goes on rising while what it stood for is lost.

The gold reward is a rule. Proxies are reward models, trained on rankings by that rule of what the start answers.
How far a single run of PPO gets is a matter of rounding, so the weak proxy is judged by the mean of four (lab log). Six
seeds of the strong one were tried; the margins are wide of all of them.
"""

import json
import re
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from tests.training.recipes.conftest import PPO, REWARD_MODEL, copy_of
from tests.training.recipes.world import COLORS, World, curves, demonstrations, finish, prompts
from training.contract import overoptimization
from training.contract.rows import read_rows

SENTENCE = re.compile(rf"The \w+ is ({'|'.join(sorted(set(COLORS.values())))})\.")
FREE = {"total_episodes": 30 * 32, "lr": 4e-3, "value_lr": 8e-3, "kl_coef": 0.0}
HELD = {"total_episodes": 25 * 32, "lr": 2e-3, "value_lr": 4e-3, "kl_coef": 0.2}
WINDOW = 5  # iterations that one point of a curve is the mean of: 40 texts


class Point(NamedTuple):
    kl: float
    proxy: float
    gold: float


def gold(prompt: str, completion: str) -> float:
    """1 for a sentence of the right form, 1 for the right color, named once."""
    thing = prompt.rstrip("?").split()[-1]
    return bool(SENTENCE.fullmatch(completion.strip())) + float(completion.count(COLORS[thing]) == 1)


def ranked_by_gold(world: World, count: int, seed: int) -> list[dict[str, Any]]:
    """Rankings of four answers each of the fine-tuned model."""
    asked = prompts(count)
    spec = {"response_length": 12, "samples_per_prompt": 4, "threads": 1}
    folder = world.run(
        "answers", "sample", spec, {"prompts": world.dataset("all", "prompts", asked)}, {"policy": "sft"}, seed
    )
    finish("sample", folder)
    answers: dict[str, list[str]] = {}
    for row in read_rows(folder / "samples.jsonl", "completions"):
        answers.setdefault(row["prompt_id"], []).append(row["completion"])
    rows = []
    for number, row in enumerate(asked):
        texts = answers[row["prompt_id"]]
        golds = [gold(row["prompt"], text) for text in texts]
        ranks = [1 + sorted(set(golds), reverse=True).index(one) for one in golds]
        person = {"ranking_id": f"r{number}", "labeler": "l", "cohort": "training"}
        rows.append(row | person | {"completions": texts, "ranks": ranks})
    return rows


def optimized(trained: World, root: Path, comparisons: int, settings: dict[str, float], seed: int) -> list[Point]:
    """A proxy from rankings of that many prompts, PPO against it, and the curve of both rewards, start included."""
    world = copy_of(trained, root)
    people = {
        "rankings": world.dataset("ranked", "rankings", ranked_by_gold(world, comparisons, seed)),
        "demonstrations": world.dataset("demonstrations", "demonstrations", demonstrations(48)),
    }
    finish("reward_model", world.run("proxy", "reward_model", REWARD_MODEL, people, {"policy": "sft"}, seed))
    spec = PPO | {"threads": 1, "samples_every": 1, "save_every": 0} | settings
    parents = {"policy": "sft", "reward_model": "proxy"}
    folder = world.run("ppo", "ppo", spec, {"prompts": world.dataset("asked", "prompts", prompts(24))}, parents, seed)
    finish("ppo", folder)
    shown = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    rows = curves(folder)
    points = []
    for first in range(0, len(rows), WINDOW):
        steps = range(first + 1, first + WINDOW + 1)
        points.append(
            Point(
                statistics.fmean(row["objective/kl"] for row in rows[first : first + WINDOW]),
                statistics.fmean(row["objective/scores"] for row in rows[first : first + WINDOW]),
                statistics.fmean(gold(one["prompt"], one["completion"]) for one in shown if one["step"] in steps),
            )
        )
    print(
        f"seed {seed}, {comparisons} prompts ranked: "
        + ", ".join(f"KL {p.kl:.1f} proxy {p.proxy:.2f} gold {p.gold:.2f}" for p in points)
    )
    return points


def start_of(world: World) -> float:
    """Mean gold reward of the fine-tuned model."""
    rows = [
        row
        for ranking in ranked_by_gold(world, 96, 9)
        for row in [(ranking["prompt"], text) for text in ranking["completions"]]
    ]
    return statistics.fmean(gold(*row) for row in rows)


def test_against_a_weak_proxy_the_gold_reward_is_lost_while_the_proxy_rises(trained: World, tmp_path: Path) -> None:
    start = start_of(copy_of(trained, tmp_path / "start"))
    runs = [optimized(trained, tmp_path / str(seed), 8, FREE, seed) for seed in (1, 2, 3, 4)]
    assert statistics.fmean(max(p.proxy for p in points) - points[0].proxy for points in runs) > 0.9
    assert statistics.fmean(points[-1].gold for points in runs) < 0.4 * start
    fitted = []
    for points in runs:
        curve = overoptimization.fit(overoptimization.PPO, [p.kl for p in points], [p.gold - start for p in points])
        print(f"gold at the start {start:.2f}; {curve}, {curve.peak()}")
        fitted.append(curve.gold(points[-1].kl))
    assert statistics.fmean(fitted) < -0.3


def test_against_a_strong_proxy_and_held_near_the_start_the_gold_reward_rises(trained: World, tmp_path: Path) -> None:
    start = start_of(copy_of(trained, tmp_path / "start"))
    points = optimized(trained, tmp_path / "world", 400, HELD, 1)
    assert points[-1].proxy > points[0].proxy + 0.3
    assert points[-1].gold > start + 0.15
    assert points[-1].kl < 3
