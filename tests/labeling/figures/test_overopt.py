"""The monitor of a PPO run, from its metrics, its evaluations and people's judgements."""

import json
import math
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from labeling.figures import overopt, trace
from labeling.models import Labeler, User
from tests.labeling.figures.world import judge, judgement, make_checkpoint, make_line, prompts
from training import storage
from training.models import Checkpoint, Run, RunParent

pytestmark = pytest.mark.django_db


def write_metrics(run: Run, rows: list[dict[str, Any]]) -> None:
    path = storage.run_folder(run.pk) / "metrics.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def metrics(count: int = 120, *, spread: float | None = 0.3) -> list[dict[str, Any]]:
    """Reward 1 + d (0.9 - 0.1 ln d). With the spread 0.4 d less is left: d (0.5 - 0.1 ln d), highest at d = e⁴, far
    away; with 0.3 d (0.5 + ln d) it is d (0.75 - 0.4 ln d), highest at d = exp(0.75 / 0.4 - 1) = 2.4, KL 5.75."""
    rng, rows = np.random.default_rng(4), []
    for step in range(1, count + 1):
        d = 4.0 * step / count
        row = {"step": step, "objective/kl": d * d, "objective/scores": 1 + d * (0.9 - 0.1 * math.log(d))}
        row["objective/scores"] += rng.normal(0, 0.02)
        if spread is not None:
            row["objective/score_spread"] = 0.1 + spread * d * (0.5 + math.log(d))
        rows.append(row)
    return rows


@pytest.fixture
def line(db: None) -> dict[str, Checkpoint]:
    return make_line()


def run_of(checkpoint: Checkpoint) -> Run:
    assert checkpoint.run is not None
    return checkpoint.run


@pytest.fixture
def office(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def proposal(found: dict[str, Any], by: str) -> dict[str, Any]:
    return next(one for one in found["proposals"] if one["by"] == by)


def test_a_run_without_anything_says_so(office: Client, line: dict[str, Checkpoint]) -> None:
    text = office.get(reverse("overoptimization", args=[line["ppo"].run_id])).content.decode()
    assert "left no metrics" in text
    assert "Not judged yet" in text
    assert "has not scored the held-out rankings yet" in text
    assert text.split('id="plotted"')[0].count("Nothing is proposed") == 3


def test_it_is_of_ppo_runs_and_for_researchers(
    client: Client, office: Client, line: dict[str, Checkpoint], labeler: Labeler
) -> None:
    for name in ("overoptimization", "api-overoptimization"):
        assert office.get(reverse(name, args=[line["ppo"].run_id])).status_code == 200
        assert office.get(reverse(name, args=[line["sft"].run_id])).status_code == 404
    client.force_login(labeler.user)
    assert client.get(reverse("overoptimization", args=[line["ppo"].run_id])).status_code == 404


def test_the_spread_says_where_to_stop_where_it_outgrows_the_reward(line: dict[str, Checkpoint]) -> None:
    run = run_of(line["ppo"])
    write_metrics(run, metrics())
    found = overopt.of(run)
    stop = proposal(found, "spread")
    d = math.exp(0.75 / 0.4 - 1)
    assert stop["kl"] == pytest.approx(d * d, rel=0.05)
    assert stop["low"] < d * d < stop["high"]
    assert stop["iteration"] == pytest.approx(120 * d / 4, abs=6)
    fitted = found["fits"]["proxy"]
    assert (fitted["alpha"], fitted["beta"]) == pytest.approx((0.9, 0.1), abs=0.05)
    assert fitted["offset"] == pytest.approx(1, abs=0.05)


def test_a_spread_that_never_outgrows_the_reward_proposes_nothing(line: dict[str, Checkpoint]) -> None:
    run = run_of(line["ppo"])
    write_metrics(run, metrics(spread=0.05))
    stop = proposal(overopt.of(run), "spread")
    assert stop["kl"] is None and "still rises" in stop["sentence"]


def test_one_head_has_no_spread(office: Client, line: dict[str, Checkpoint]) -> None:
    run = run_of(line["ppo"])
    write_metrics(run, metrics(spread=None))
    found = overopt.of(run)
    assert not found["is_ensemble"] and found["fits"]["cautious"] is None
    assert "one head" in proposal(found, "spread")["sentence"]
    assert "The reward model has one head" in office.get(reverse("overoptimization", args=[run.pk])).content.decode()


def test_a_step_that_was_run_again_counts_once_and_gaps_are_left_out() -> None:
    rows = metrics(5)
    seen = trace.of_rows([*rows, {**rows[2], "objective/scores": 9.0}, {"step": 6, "objective/kl": None}, {"step": 7}])
    assert seen is not None
    assert seen.step.tolist() == [1, 2, 3, 4, 5] and seen.reward[2] == 9.0
    assert trace.of_rows([{"step": 1, "loss": 2.0}]) is None


def test_people_who_judged_several_distances_say_where_to_stop(
    office: Client, line: dict[str, Checkpoint], held_out_labeler: Labeler
) -> None:
    """Five runs that stopped one after the other; by kl, on how many of 12 prompts they are preferred to the start."""
    both = {"policy": line["sft"], "reward_model": line["proxy"]}
    wins = {0.25: 7, 2.0: 10, 6.0: 10, 14.0: 8, 30.0: 2}
    for kl, won in wins.items():
        policy = make_checkpoint(f"stopped at {kl}", "ppo", both)
        evaluation = Run.objects.create(
            recipe="evaluate", name="e", spec={}, seed=1, state=Run.State.DONE, result={"kl": kl, "reward": 1.0}
        )
        RunParent.objects.create(run=evaluation, role="policy", checkpoint=policy)
        RunParent.objects.create(run=evaluation, role="reference", checkpoint=line["sft"])
        judgement([line["sft"], policy], prompts(12))
        judge(held_out_labeler, [[2, 1]] * won + [[1, 2]] * (12 - won))
    found = overopt.of(run_of(line["ppo"]))
    assert [(one["kl"], one["rate"], one["prompts"]) for one in found["people"]] == [
        (kl, pytest.approx(won / 12), 12) for kl, won in wins.items()
    ]
    assert found["people"][1]["gain"] == pytest.approx(math.log(10.5 / 2.5))
    stop = proposal(found, "people")
    assert stop["kl"] is not None, stop["sentence"]
    assert 2 < stop["kl"] < 14 and stop["low"] < stop["kl"] < stop["high"] <= 30
    text = office.get(reverse("overoptimization", args=[line["ppo"].run_id])).content.decode()
    assert "By people" in text and "by an evaluation" in text and "Not judged yet" not in text


def test_one_judged_distance_proposes_nothing(line: dict[str, Checkpoint], held_out_labeler: Labeler) -> None:
    write_metrics(run_of(line["ppo"]), metrics())
    judgement([line["sft"], line["ppo"]], prompts(6))
    judge(held_out_labeler, [[2, 1]] * 6)
    found = overopt.of(run_of(line["ppo"]))
    [point] = found["people"]
    assert (point["kl"], point["measured"]) == (pytest.approx(16.0), "in the run’s last iteration")
    assert proposal(found, "people")["kl"] is None


def test_through_two_judged_distances_no_curve_is_drawn(line: dict[str, Checkpoint], held_out_labeler: Labeler) -> None:
    """Any curve with two parameters meets two points exactly, and says nothing of what lies between."""
    for name, count in (("ppo", 60), ("ppo_ptx", 120)):
        rows = [{"step": step, "objective/kl": count / 20, "objective/scores": 1.0} for step in range(1, 11)]
        write_metrics(run_of(line[name]), rows)
    judgement([line["base"], line["sft"], line["ppo"], line["ppo_ptx"]], prompts(6))
    judge(held_out_labeler, [[4, 3, 2, 1]] * 4 + [[1, 2, 4, 3]] * 2)
    found = overopt.of(run_of(line["ppo"]))
    assert [point["kl"] for point in found["people"]] == [3, 6]
    assert found["fits"]["people"] is None


def test_the_best_of_n_of_ranked_completions_is_a_curve_for_free(line: dict[str, Checkpoint]) -> None:
    ranked = [(f"p{at}", [0.0, 1.0, 2.0, 3.0], [4, 3, 2, 1]) for at in range(8)]
    found = overopt.of(run_of(line["ppo"]), ranked)
    assert [one["n"] for one in found["best_of_n"]] == [2, 3, 4]
    assert [one["kl"] for one in found["best_of_n"]] == pytest.approx([math.log(n) - (n - 1) / n for n in (2, 3, 4)])
    # The best of two by a perfect proxy beats 2, 4/3 … of 3 others: mean standing of the better of two is 7/9.
    assert found["best_of_n"][0]["rate"] == pytest.approx(7 / 9)
    assert found["best_of_n"][-1]["rate"] == 1.0


def test_runs_of_best_of_n_by_the_same_proxy_stand_beside_it(line: dict[str, Checkpoint]) -> None:
    result = {"n": 16, "kl": 1.835, "reward_best": 2.5, "reward_random": 1.0, "spread_best": 0.2}
    for proxy in (line["proxy"], make_checkpoint("other", "reward_model", {"policy": line["sft"]})):
        run = Run.objects.create(recipe="best_of_n", name="b", spec={}, seed=1, state=Run.State.DONE, result=result)
        RunParent.objects.create(run=run, role="policy", checkpoint=line["sft"])
        RunParent.objects.create(run=run, role="reward_model", checkpoint=proxy)
    [one] = overopt.of(run_of(line["ppo"]))["best_of_n_runs"]
    assert (one["n"], one["kl"], one["gain"], one["spread"]) == (16, 1.835, 1.5, 0.2)
