"""The benchmark of choosing prompts: its ratio by hand, and a run that is as small as can be."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.active import gain, interval, labels_for, never_falling, ratio

ROOT = Path(__file__).resolve().parents[2]
LABELS = [100, 200, 300]
SMALL = {
    "documents": 300, "steps": 20, "demonstrations": 16, "sampled": 40, "held_out": 12, "calibration": 6, "pool": 30,
    "first": 6, "each": 6, "acquisitions": 1, "heads": 2, "epochs": 1, "seeds": 2,
}  # fmt: skip


def test_a_curve_that_falls_is_levelled() -> None:
    """3, 2 become 2.5 each; then 1 pulls all three to 2 (least squares)."""
    assert never_falling([1.0, 3.0, 2.0, 4.0]) == [1.0, 2.5, 2.5, 4.0]
    assert never_falling([3.0, 2.0, 1.0]) == [2.0, 2.0, 2.0]


def test_labels_are_read_off_between_the_points() -> None:
    assert labels_for(0.65, [0.5, 0.6, 0.7], LABELS) == pytest.approx(250)
    assert labels_for(0.5, [0.5, 0.6, 0.7], LABELS) == 100
    assert labels_for(0.7, [0.6, 0.7, 0.7], LABELS) == 200


def test_the_ratio_is_below_one_where_labels_are_saved() -> None:
    """Chance reaches .7 with 300; the other with 200, for its mean curve is .5, .7, .8."""
    chance = [[0.5, 0.6, 0.7], [0.5, 0.6, 0.7]]
    better = [[0.5, 0.6, 0.7], [0.5, 0.8, 0.9]]
    assert ratio(better, chance, LABELS) == pytest.approx(200 / 300)
    assert ratio(chance, better, LABELS) == pytest.approx(300 / 200)
    assert ratio(chance, chance, LABELS) == 1


def test_intervals_resample_seeds_with_both_their_curves() -> None:
    """Seeds differ far more from one another than the ways of choosing do: within a seed the gain is always .1."""
    chance = [[0.5, 0.6], [0.7, 0.8], [0.6, 0.7]]
    better = [[0.5, 0.7], [0.7, 0.9], [0.6, 0.8]]
    more, bounds = gain(better, chance)
    assert bounds is not None
    assert [more, *bounds] == pytest.approx([0.1] * 3)
    bounds = interval(better, chance, [100, 200])
    assert bounds is not None
    assert bounds == pytest.approx((150 / 200, 150 / 200))  # each mean rises twice as fast
    assert interval(better[:1], chance[:1], [100, 200]) is None


def test_a_small_run_gives_a_ratio_for_each_way_of_choosing(tmp_path: Path) -> None:
    lines = tmp_path / "active.jsonl"
    sizes = [word for name, count in SMALL.items() for word in ("--" + name.replace("_", "-"), str(count))]
    command = [sys.executable, "-m", "benchmarks.active", "--root", str(tmp_path), "--json", str(lines), *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(line["measure"], line["settings"]["by"]) for line in found] == [
        ("active.labels_ratio", "ensemble"),
        ("active.labels_ratio", "labelers"),
    ]
    for line in found:
        assert line["settings"].items() >= SMALL.items()
        assert line["settings"]["low"] <= line["value"] <= line["settings"]["high"]
    # All ways begin with the same labels, and so with the same reward model.
    for number in (1, 2):
        [said] = [line for line in done.stdout.splitlines() if line.startswith(f"  seed {number}:")]
        starts = re.findall(r"(?:random|ensemble|labelers) (\d\.\d+)", said)
        assert len(starts) == 3
        assert len(set(starts)) == 1
