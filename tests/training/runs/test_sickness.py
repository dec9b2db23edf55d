"""Warnings fire on curves that are sick, by hand and real, and are silent on healthy ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.runs.test_watch import make_run, word
from training import storage
from training.contract.status import read_status
from training.models import Run
from training.runs import health
from training.runs.finding import Finding, Pulse
from training.runs.series import Columns, Curve
from training.runs.sickness import findings

CURVES = Path(__file__).parent / "curves"
Values = list[float] | np.ndarray[Any, Any]


def curve(values: Values) -> Curve:
    array = np.array(values, np.float64)
    return Curve(np.arange(1, len(array) + 1), np.arange(len(array)) * 9.0, array)


def found(spec: dict[str, Any] | None = None, pulse: Pulse | None = None, **curves: Values) -> dict[str, Finding]:
    names = {name.replace("__", "/"): curve(values) for name, values in curves.items()}
    return {finding.name: finding for finding in findings(names, spec or {}, pulse or Pulse(0))}


def names_of(file: str) -> list[str]:
    columns = Columns()
    columns.append(json.loads(line) for line in (CURVES / file).read_text().splitlines())
    return [finding.name for finding in findings(columns.curves(), {}, Pulse(0))]


@pytest.mark.parametrize("file", ["ppo.jsonl", "pretrain.jsonl"])
def test_real_healthy_curves_are_left_alone(file: str) -> None:
    """PPO at kl_coef 1 and pretraining, as the recipes wrote them at toy size; value loss and gradients are noisy."""
    assert names_of(file) == []


def test_a_real_run_with_too_small_a_kl_penalty_is_found_out() -> None:
    """kl_coef 0.02 and a learning rate of 2e-3: the KL of 12-token answers ends at 26 nats."""
    assert names_of("ppo_without_enough_kl.jsonl") == ["kl_runaway"]


def wobble(count: int, size: float = 0.05) -> np.ndarray[Any, Any]:
    return size * np.random.default_rng(7).standard_normal(count)


def test_kl_that_runs_away_and_kl_that_settles_at_the_same_height() -> None:
    x = np.arange(60)
    runaway = found(objective__kl=0.02 * x**2)["kl_runaway"]
    # Twice what it was at two thirds of the way, and more than 20 nats: 0.02 · 34² = 23 with medians over five.
    assert 30 <= runaway.step <= 40
    assert "nats per episode" in runaway.sentence
    assert found(objective__kl=40 * (1 - np.exp(-x / 8)) + wobble(60)) == {}
    assert "kl_runaway" in found(objective__kl=15 + wobble(60), val__response_length=np.full(60, 6.0))
    assert found(objective__kl=15 + wobble(60), val__response_length=np.full(60, 200.0)) == {}


def test_negative_kl() -> None:
    assert found(objective__kl=-5 + wobble(10))["negative_kl"].step == 5
    assert found(objective__kl=wobble(10, 0.3)) == {}


def test_entropy_that_collapses_and_entropy_that_falls_by_half() -> None:
    """0.67 to 0.4 nats a token is what a sound run of the miniature world does."""
    collapsed = found(objective__entropy=60 * np.exp(-np.arange(50) / 10))["entropy_collapse"]
    assert "of what it began with" in collapsed.sentence
    # It begins with 60 exp(-0.4), the fifth point; a fifth of that is 16.1 points on: the 22nd, the median at step 24.
    assert collapsed.step == 24
    assert found(objective__entropy=np.linspace(0.67, 0.4, 50)) == {}
    shorter = np.linspace(100, 10, 50)  # shorter answers, as undecided per token as before
    assert "entropy_collapse" not in found(objective__entropy=0.6 * shorter, val__response_length=shorter)


def test_the_first_ratio() -> None:
    wrong = found(policy__first_ratio_error=[0, 1e-7, 0.03, 1e-7])["first_ratio"]
    assert wrong.step == 3
    assert "1 of 4 steps" in wrong.sentence
    assert found(policy__first_ratio_error=[0, 1e-7, 3e-6]) == {}
    assert found({"old_logprobs": "sampler"}, policy__first_ratio_error=[0.02, 0.03]) == {}


def test_the_clip_fraction() -> None:
    assert found(policy__clipfrac_avg=[0.1] * 5 + [0.5] * 10)["clip_fraction"].step == 8  # the third of five is clipped
    assert found(policy__clipfrac_avg=[0.1] * 5 + [0.5] * 2 + [0.1] * 8) == {}


def test_length_drift_both_ways() -> None:
    assert found(val__response_length=np.linspace(50, 150, 40))["length_drift"].title == "Answers grow longer"
    assert found(val__response_length=np.linspace(50, 10, 40))["length_drift"].title == "Answers grow shorter"
    assert found(val__response_length=np.linspace(50, 80, 40)) == {}


def test_a_value_model_that_loses_track_and_one_that_recovers() -> None:
    loss = np.concatenate([np.linspace(1, 0.1, 20), np.linspace(0.1, 9, 20)])
    assert "value_error" in found(loss__value_avg=loss)
    assert found(loss__value_avg=loss, value__explained_variance=np.full(40, 0.6)) == {}
    assert found(loss__value_avg=np.concatenate([loss, np.full(10, 0.3)])) == {}


def test_gradients_that_spike() -> None:
    calm = 1 + np.abs(wobble(200))
    spiky = calm.copy()
    spiky[[90, 120, 150]] = 45.0, 60.0, 45.0
    spikes = found(grad_norm=spiky)["gradient_spikes"]
    assert spikes.step == 91
    assert "3 times, to 60 at step 121" in spikes.sentence
    once = calm.copy()
    once[90] = 60.0
    assert found(grad_norm=once) == {}
    assert found(grad_norm=np.concatenate([np.full(5, 80.0), calm])) == {}  # the first steps of a new model


def test_a_loss_that_is_no_number() -> None:
    broken = found(loss__train=[3.0, 2.0, np.nan, np.nan])["not_finite"]
    assert broken.step == 3
    assert "2 times" in broken.sentence
    assert found(value__explained_variance=[np.nan, 0.5]) == {}  # undefined where rewards do not vary: no loss


def test_reward_that_rises_while_a_judgement_falls() -> None:
    reward = np.linspace(0, 3, 60)
    gold = np.concatenate([np.linspace(0.5, 0.9, 30), np.linspace(0.9, 0.1, 30)])
    falls = found(objective__scores=reward, gold__reward=gold + wobble(60))["held_out_falls"]
    assert falls.curve == "gold/reward"
    assert "standard errors" in falls.sentence
    assert found(objective__scores=reward, gold__reward=np.linspace(0.5, 0.9, 60) + wobble(60)) == {}
    assert found(objective__scores=reward[::-1], gold__reward=gold + wobble(60)) == {}
    assert found(objective__scores=reward, gold__reward=0.5 + wobble(60, 0.3)) == {}  # noise alone


def test_a_learning_rate_of_zero() -> None:
    assert found(lr=[1e-5, 1e-5, 0, 0, 0])["learning_rate_zero"].step == 3
    assert found(lr=[0, 1e-6, 1e-5, 1e-5]) == {}


def test_a_run_that_does_not_move() -> None:
    """A row every 9 seconds, the last at 99 · 9 = 891: 20 times 9 is less than five minutes, which are the least."""
    loss = np.ones(100)
    silent = found(pulse=Pulse(891 + 600, True, 891 + 595), loss__train=loss)["no_progress"]
    assert "No step for 10 minutes; one usually takes 9 s. Its process lives" in silent.sentence
    assert "not been heard of" in found(pulse=Pulse(1491, True, 900), loss__train=loss)["no_progress"].sentence
    assert found(pulse=Pulse(891 + 200, True, 0), loss__train=loss) == {}
    assert found(pulse=Pulse(891 + 600, False, 0), loss__train=loss) == {}


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_short_curves_say_nothing(count: int) -> None:
    every = ("objective/kl", "objective/entropy", "policy/clipfrac_avg", "val/response_length", "loss/value_avg")
    every += ("grad_norm", "objective/scores", "val/reward", "value/explained_variance")
    curves = {name: curve([1.0] * count) for name in every}
    assert findings(curves, {}, Pulse(1e9, True)) == []


def test_every_finding_says_where_what_to_do_and_who_says_so() -> None:
    kl: Callable[[int], Any] = lambda n: 0.02 * np.arange(n) ** 2  # noqa: E731
    for finding in found(objective__kl=kl(60), lr=np.zeros(60), loss__train=[np.nan]).values():
        assert finding.advice.endswith(".")
        assert finding.sentence.endswith(".")
        assert finding.source
        assert finding.step >= 1


@pytest.mark.django_db
def test_warnings_are_kept_in_the_row_and_go_when_it_is_well(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    run = make_run()
    word(run)
    metrics = storage.run_folder(run.pk) / "metrics.jsonl"
    metrics.write_text("".join(json.dumps({"step": step, "time": 1.0, "lr": 0.0}) + "\n" for step in range(1, 5)))
    health.look(run, is_running=False)
    assert [row["name"] for row in Run.objects.get().warnings] == ["learning_rate_zero"]
    with metrics.open("a") as file:
        file.write(json.dumps({"step": 5, "time": 1.0, "lr": 0.1}) + "\n")
    health.look(run, is_running=False)
    assert Run.objects.get().warnings == []
    assert read_status(metrics.with_name("status.json")) is not None
