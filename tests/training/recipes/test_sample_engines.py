"""Sampling from several checkpoints, and from a server: what is in the rows, and that none is lost or there twice."""

import json
import signal
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.training.model_server import ModelServer, answer, cut, fewer, says, serving
from tests.training.recipes import by_hand
from tests.training.recipes.test_resume import start, wait_until
from tests.training.recipes.world import World, finish, prompts
from training.contract.rows import read_rows
from training.contract.status import read_status
from training.recipes import sample as recipe
from training.rlhf.engines import http_json

SPEC = {"response_length": 12, "samples_per_prompt": 4, "batch_size": 8, "threads": 1}
FOUR_AND_TWO = SPEC | {"samples_per_prompt": 6, "samples_by_policy": {"policy_2": 2, "policy": 4}, "batch_size": 20}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_json, "BACKOFF_SECONDS", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return read_rows(folder / "samples.jsonl", "completions")


def lay_out(world: World, run_id: str, server: ModelServer, count: int = 8, **changes: Any) -> Path:
    spec = SPEC | {"engine": "openai", "base_url": server.url, "model": "tiny", "max_attempts": 3} | changes
    return world.run(run_id, "sample", spec, {"prompts": world.dataset("asked", "prompts", prompts(count))})


def error_of(folder: Path) -> str:
    status = read_status(folder / "status.json")
    assert status is not None and status["state"] == "failed"
    return str(status["error"])


def test_completions_of_two_checkpoints_each_with_its_own_logprobs(world: World) -> None:
    """Samples 0 to 3 of each prompt come from one, 4 and 5 from the other, as the rows say and a forward pass shows."""
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run("run", "sample", FOUR_AND_TWO, inputs, {"policy": "sft", "policy_2": "base"})
    assert finish("sample", folder)["completions"] == 48
    rows = rows_of(folder)
    named = [(f"p{i}", k, "policy" if k < 4 else "policy_2") for i in range(8) for k in range(6)]
    assert [(row["prompt_id"], row["sample"], row["policy"]) for row in rows] == named
    # Three prompts a batch; no batch of either policy has the seed of another.
    assert [row["seed"] - 1_000_003 for row in rows] == [i // 3 * 2 + k // 4 for i in range(8) for k in range(6)]
    for policy, checkpoint, other in (("policy", "sft", "base"), ("policy_2", "base", "sft")):
        mine = [row for row in rows if row["policy"] == policy]
        folders = [world.root / "runs" / name / "checkpoint" for name in (checkpoint, other)]
        pairs = [(by_hand.ids_of(folders[0], row["prompt"], "")[0], row["token_ids"]) for row in mine]
        for row, ours, theirs in zip(mine, *(by_hand.completion_logprobs(f, pairs) for f in folders), strict=True):
            assert row["logprobs"] == pytest.approx(ours.tolist(), abs=1e-4)
            assert row["logprobs"] != pytest.approx(theirs.tolist(), abs=1e-2)


def test_the_share_of_one_checkpoint_is_what_a_run_of_it_alone_gives(world: World) -> None:
    """The same seed and batch: a second checkpoint takes nothing of the first one's randomness."""
    inputs = {"prompts": world.dataset("three", "prompts", prompts(3))}
    shared = SPEC | {"samples_by_policy": {"policy": 2, "policy_2": 2}, "batch_size": 20}
    both = world.run("both", "sample", shared, inputs, {"policy": "sft", "policy_2": "sft"})
    alone = world.run(
        "alone", "sample", shared | {"samples_per_prompt": 2, "samples_by_policy": None}, inputs, {"policy": "sft"}
    )
    finish("sample", both)
    finish("sample", alone)
    first, second = ([row for row in rows_of(both) if row["policy"] == name] for name in ("policy", "policy_2"))
    assert first == rows_of(alone)
    assert [row["token_ids"] for row in first] != [row["token_ids"] for row in second]


def test_two_checkpoints_resume_where_a_batch_was_torn(world: World) -> None:
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run("run", "sample", FOUR_AND_TWO, inputs, {"policy": "sft", "policy_2": "base"})
    finish("sample", folder)
    expected = (folder / "samples.jsonl").read_text()
    lines = expected.splitlines(keepends=True)
    for kept in (0, 17, 18, 19, 47):  # a batch is 3 prompts, 18 rows
        (folder / "samples.jsonl").write_text("".join(lines[:kept]) + lines[kept][:30])
        finish("sample", folder)
        assert (folder / "samples.jsonl").read_text() == expected


def test_a_policy_that_run_json_does_not_name(world: World) -> None:
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run("run", "sample", FOUR_AND_TWO, inputs, {"policy": "sft"})
    assert recipe.main(["--run-dir", str(folder)]) == 1
    assert error_of(folder) == "The sample run needs the parent 'policy_2', and run.json names none."


def test_vllm_where_it_is_not_installed(world: World) -> None:
    inputs = {"prompts": world.dataset("eight", "prompts", prompts(8))}
    folder = world.run("run", "sample", SPEC | {"engine": "vllm"}, inputs, {"policy": "sft"})
    assert recipe.main(["--run-dir", str(folder)]) == 1
    assert error_of(folder) == "The engine vllm needs the package vllm, which is not installed; decoder is ours."


def test_a_server_needs_no_checkpoint_and_its_key_is_written_nowhere(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through troubles that pass: all completions are there, once, in order, and none of its files has the key."""
    monkeypatch.setenv("PODIUM_TEST_KEY", "sk-very-secret")
    troubles = [says(429), answer, says(500), fewer, cut, says(200, "<html>"), fewer]
    with serving(troubles) as server:
        folder = lay_out(world, "run", server, api_key_env="PODIUM_TEST_KEY", max_concurrency=2)
        result = finish("sample", folder)
        assert result == {"prompts": 8, "completions": 32, "finished_share": result["finished_share"]}
        assert {headers["Authorization"] for headers in server.headers} == {"Bearer sk-very-secret"}
    rows = rows_of(folder)
    assert [(row["prompt_id"], row["sample"]) for row in rows] == [(f"p{i}", k) for i in range(8) for k in range(4)]
    assert len({row["completion"] for row in rows}) == 32
    assert all(row["completion"].startswith(f"{row['prompt']} [{row['seed']}.") for row in rows)
    assert all(row["token_ids"] == row["logprobs"] == [] and "policy" not in row for row in rows)
    written = [file.read_text() for file in folder.iterdir() if file.is_file()]
    assert written and not any("sk-very-secret" in text for text in [*written, *capfd.readouterr()])


def test_a_run_that_a_server_fails_goes_on_where_it_was(world: World) -> None:
    """Two batches are there, then 500 for ever: one sentence. Later only the missing ones are asked for."""
    with serving([*repeat(answer, 4), *repeat(says(500), 6)]) as server:
        folder = lay_out(world, "run", server, max_concurrency=1)
        assert recipe.main(["--run-dir", str(folder)]) == 1
        assert error_of(folder).endswith("/v1/chat/completions answers 500: Internal Server Error (after 3 attempts).")
        before = rows_of(folder)
        assert len(before) == 16
        server.troubles.clear()
        server.requests.clear()
        finish("sample", folder)
        assert [body["messages"][0]["content"] for body in server.requests] == [row["prompt"] for row in prompts(8)[4:]]
    assert rows_of(folder)[:16] == before
    assert len({(row["prompt_id"], row["sample"]) for row in rows_of(folder)}) == 32


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 75)])
def test_a_run_from_a_server_that_is_killed_loses_nothing_and_repeats_nothing(
    world: World, how: signal.Signals, code: int
) -> None:
    with serving(seconds=0.01) as server:
        undisturbed = lay_out(world, "undisturbed", server, count=200)
        finish("sample", undisturbed)
        expected = rows_of(undisturbed)
        killed = lay_out(world, "killed", server, count=200)
        samples = killed / "samples.jsonl"
        process = start("sample", killed)
        wait_until(process, killed, lambda: samples.exists() and samples.stat().st_size > 10_000)
        process.send_signal(how)
        assert process.wait(timeout=60) == code
        # A row of a whole batch is marked, to see that it is not asked for again; a torn line, as a kill leaves it.
        first, *rest = samples.read_text().splitlines()
        assert 8 < len(rest) < 799
        samples.write_text("\n".join([json.dumps(json.loads(first) | {"kept": True}), *rest, '{"prompt_id": "p']))
        finish("sample", killed)
    assert rows_of(killed) == [expected[0] | {"kept": True}, *expected[1:]]
    assert len(expected) == len({(row["prompt_id"], row["sample"]) for row in expected}) == 800


def test_rows_that_are_decoded_fewer_at_a_time_are_the_same(world: World) -> None:
    """A row's randomness is its own: how many stand beside it is a matter of memory."""
    inputs = {"prompts": world.dataset("twenty", "prompts", prompts(20))}
    spec = SPEC | {"batch_size": 80}
    folders = [
        world.run(f"by{rows}", "sample", spec | {"decode_batch_size": rows}, inputs, {"policy": "sft"})
        for rows in (80, 12)
    ]
    for folder in folders:
        finish("sample", folder)
    together, few = map(rows_of, folders)
    assert [row["token_ids"] for row in together] == [row["token_ids"] for row in few]
    assert [row["prompt_id"] for row in few] == [f"p{i}" for i in range(20) for _ in range(4)]
    for one, other in zip(together, few, strict=True):
        assert one["logprobs"] == pytest.approx(other["logprobs"], abs=1e-4)
