"""The agreement page's benchmark, small: a server and rankings of its own, and lines that a program can read."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_measure_comes_with_its_settings(tmp_path: Path) -> None:
    lines = tmp_path / "agreement.jsonl"
    command = [sys.executable, "-m", "benchmarks.agreement", "--items", "60", "--labelers", "6", "--repeats", "2"]
    done = subprocess.run([*command, "--json", str(lines)], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "| 300 " in done.stdout  # five rankings an item
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {line["measure"]: line["unit"] for line in found} == {
        "agreement.page_seconds": "s",
        "agreement.page_cpu_seconds": "s",
        "agreement.again_seconds": "s",
        "agreement.peak_mb": "MB",
    }
    for line in found:
        assert line["settings"] == {"items": 60, "labelers": 6, "repeats": 2}
        assert line["value"] > 0
