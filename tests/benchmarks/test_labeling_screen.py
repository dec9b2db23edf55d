"""The benchmark of the ranking screen, small: a server, a browser, and every figure beside its bar."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """What a small run printed, and the lines it wrote."""
    lines = tmp_path_factory.mktemp("benchmark") / "screen.jsonl"
    command = [sys.executable, "-m", "benchmarks.labeling_screen", "--items", "5", "--labelers", "1", "3"]
    done = subprocess.run(
        [*command, "--pause", "0.5", "--json", str(lines)], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, [json.loads(line) for line in lines.read_text().splitlines()]


def test_what_a_labeler_pays_is_within_the_bars(finished: tuple[str, list[dict]]) -> None:
    """Keys, requests and bytes do not depend on the machine, so they hold here as well (times are for a quiet one)."""
    _, lines = finished
    value = {line["measure"].removeprefix("screen."): line["value"] for line in lines}
    assert value["keys_k4"] == 5 and value["keys_k9"] == 10  # one a place, and one to send it in
    assert value["first_requests"] <= 10
    assert value["next_bytes"] < value["first_bytes"] <= 200_000


def test_the_time_to_the_next_item_is_measured_at_each_number_of_labelers(finished: tuple[str, list[dict]]) -> None:
    printed, lines = finished
    medians = {line["settings"]["labelers"]: line["value"] for line in lines if line["measure"].endswith("ms_p50")}
    assert medians.keys() == {1, 3} and min(medians.values()) > 0
    assert "5 items, the others pause 0.5 s" in printed and "| at most" in printed
