"""The benchmark of the researcher's pages, small: a server and rounds of its own, and lines that a program can read."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AMOUNTS = {"rounds": 2, "runs": 32, "points": 120, "rankings": 8}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """What a small run printed, and the lines it wrote."""
    lines = tmp_path_factory.mktemp("benchmark") / "rounds.jsonl"
    sizes = [word for name, count in AMOUNTS.items() for word in (f"--{name}", str(count))]
    command = [sys.executable, "-m", "benchmarks.rounds", *sizes, "--cockpit", "--repeats", "1", "--warm", "0"]
    done = subprocess.run(
        [*command, "--polls", "10", "--json", str(lines)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, [json.loads(line) for line in lines.read_text().splitlines()]


def test_every_measure_comes_with_its_settings(finished: tuple[str, list[dict]]) -> None:
    _, lines = finished
    assert {line["measure"]: line["unit"] for line in lines} == {"pages.max_ms": "ms", "poll.cpu_ms": "ms"}
    for line in lines:
        assert line["settings"].items() >= {**AMOUNTS, "repeats": 1, "polls": 10}.items()
    assert lines[0]["value"] > 0


def test_the_page_of_each_kind_of_run_is_asked_for(finished: tuple[str, list[dict]]) -> None:
    """20 runs of the two rounds, one of which is under way, 7 that researchers asked for, and 5 others."""
    printed, _ = finished
    rows = [line.split("|")[1].strip() for line in printed.splitlines() if line.startswith("| run-detail:")]
    recipes = {"pretrain", "sft", "sample", "reward_model", "ppo", "evaluate", "best_of_n", "labeler_cv", "score"}
    assert set(rows) == {f"run-detail: {recipe}" for recipe in recipes | {"running"}}
    for page in ("round-list", "round-detail: running", "round-detail: done", "dataset-detail: rankings"):
        assert f"| {page} " in printed


def test_no_page_of_the_cockpit_is_left_out(finished: tuple[str, list[dict]]) -> None:
    printed, _ = finished
    pages = {line.split("|")[1].strip() for line in printed.splitlines() if line.startswith("| ")}
    assert pages >= {
        "judgement-detail: done", "judgement-detail: running", "round-judgement: done", "round-timeline: done",
        "figures", "reward-model: scored", "contradictions: scored", "overoptimization: ppo", "playground-try",
        "item-shaped", "demonstration-shaped", "labeler-shaped", "checkpoint-detail: policy", "run-retry: failed",
    }  # fmt: skip
    skipped = re.findall(r"^Skipped, (?!no GET|not for this one).*: (.*)$", printed, re.M)
    cockpit = re.compile(r"(round|run|stage|checkpoint|judgement|playground|figure|reward|dataset)")
    assert [name for names in skipped for name in names.split(", ") if cockpit.match(name)] == []


def test_what_takes_no_get_is_skipped_and_said(finished: tuple[str, list[dict]]) -> None:
    printed, _ = finished
    [line] = [line for line in printed.splitlines() if line.startswith("Skipped, no GET: ")]
    assert {"stage-retry", "stage-go-on"} <= set(line.removeprefix("Skipped, no GET: ").split(", "))


def test_what_a_live_page_asks_for_by_itself_is_measured(finished: tuple[str, list[dict]]) -> None:
    printed, _ = finished
    for look in ("run: the page's own state", "run: new rows of its curves", "round: the page's own state"):
        assert f"| {look} " in printed
    assert "A poll of the run page, state and new rows: " in printed
