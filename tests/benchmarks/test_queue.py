"""The queue's benchmark, small: a server and labelers of its own, and lines that a program can read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import Measurement, append_lines, spread, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """What a small run printed, and the lines it wrote."""
    lines = tmp_path_factory.mktemp("benchmark") / "queue.jsonl"
    command = [sys.executable, "-m", "benchmarks.queue", "--items", "300", "--labelers", "2", "--repeats", "2"]
    done = subprocess.run(
        [*command, "--seconds", "0.5", "--json", str(lines)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, [json.loads(line) for line in lines.read_text().splitlines()]


def test_every_measure_comes_with_its_settings(finished: tuple[str, list[dict]]) -> None:
    _, lines = finished
    assert [line["measure"] for line in lines] == [
        "queue.cycle_cpu_ms",
        "queue.next_p95_ms",
        "queue.cycles_per_s",
        "queue.claim_buffers",
    ]
    for line in lines:
        assert line["settings"] == {"items": 300, "labelers": 2, "seconds": 0.5, "repeats": 2}
        assert line["value"] > 0
    assert {line["measure"]: line["unit"] for line in lines}["queue.claim_buffers"] == "buffers"


def test_the_table_says_under_which_settings_it_came_about(finished: tuple[str, list[dict]]) -> None:
    printed, _ = finished
    assert "0.5 s a run, 2 repeats, K = 4, need = 3" in printed
    assert "| 300 " in printed


def test_a_ratio_stands_only_beside_a_peer(tmp_path: Path) -> None:
    with_peer = Measurement("x", {}, 3.0, "ms", peer="other", peer_value=6.0)
    append_lines(tmp_path / "lines", [with_peer])
    append_lines(tmp_path / "lines", [Measurement("x", {}, 3.0, "ms")])
    first, second = map(json.loads, (tmp_path / "lines").read_text().splitlines())
    assert (first["peer"], first["peer_value"], first["ratio"]) == ("other", 6.0, 0.5)
    assert second == {"measure": "x", "settings": {}, "value": 3.0, "unit": "ms"}


def test_repeats_are_shown_as_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.0 (1.0–3.0)"
    assert spread([4.25], digits=2) == "4.25"
    assert table(["a", "b"], [["x", "10"]]) == "| a |  b |\n| - | -: |\n| x | 10 |"
