"""The benchmark of win rates, small: the stated interval holds the truth as often as it says."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import winrate
from benchmarks.winrate import Setting


def test_the_truth_is_the_mean_over_prompts_and_labelers() -> None:
    """By brute force: two million prompts and labelers that nobody else shares."""
    setting = Setting(20, 1, 0.65)
    rng = np.random.default_rng(0)
    lean = winrate.middle_of(setting) + rng.normal(0, math.hypot(1.0, 0.5), 2_000_000)
    assert 0.9 * float(np.mean(1 / (1 + np.exp(-lean)))) + 0.05 == pytest.approx(0.65, abs=0.001)


@pytest.mark.parametrize("setting", [Setting(6, 1, 0.5), Setting(6, 3, 0.65), Setting(20, 3, 0.5)], ids=str)
def test_the_stated_interval_holds_and_the_naive_does_not(setting: Setting) -> None:
    """300 judgements: three Monte Carlo errors below .95; the upper bound lets an interval be a little too wide."""
    found = winrate.measure(setting, judgements=300, resamples=20, seed=7)
    error = math.sqrt(0.95 * 0.05 / 300)
    assert 0.95 - 3 * error <= found.coverage["stated"] <= 0.99
    assert found.coverage["naive"] < 0.9
    assert found.width["naive"] < found.width["stated"]


def test_every_measure_comes_with_its_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "winrate.jsonl"
    winrate.main(["--judgements", "4", "--resamples", "20", "--prompts", "60", "--json", str(lines)])
    assert "Monte Carlo error" in capsys.readouterr().out
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len(found) == len(winrate.SETTINGS) * 6
    assert {line["measure"] for line in found} >= {"winrate.coverage", "winrate.naive_coverage", "winrate.mean_width"}
    assert all(line["settings"]["prompts"] == 60 and 0 <= line["value"] <= 1 for line in found)
