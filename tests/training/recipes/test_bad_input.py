"""What a recipe cannot work with is said in one sentence, in its status, and nothing is left half made."""

import importlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from tests.training.recipes.conftest import PPO, PRETRAIN, REWARD_MODEL, SFT
from tests.training.recipes.world import World, demonstrations, prompts, rankings
from training.contract.run_dir import sha256_of
from training.contract.status import read_status

Case = tuple[str, Path]


def sft(world: World, rows: list[dict[str, Any]] | None = None, **spec: Any) -> Case:
    people = {"demonstrations": world.dataset("people", "demonstrations", rows or demonstrations(8))}
    return "sft", world.run("bad", "sft", SFT | spec, people, {"policy": "base"})


def missing_file(world: World) -> Case:
    case = sft(world)
    (world.root / "datasets" / "people.jsonl").unlink()
    return case


def file_that_was_changed(world: World) -> Case:
    case = sft(world)
    with (world.root / "datasets" / "people.jsonl").open("a") as file:
        file.write("{}\n")
    return case


def nothing_in_it(world: World) -> Case:
    path = world.root / "datasets" / "none.jsonl"
    path.touch()
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing
    people = {"demonstrations": {"path": "datasets/none.jsonl", "sha256": digest}}
    return "sft", world.run("bad", "sft", SFT, people, {"policy": "base"})


def by_hand(world: World, name: str, lines: list[str]) -> dict[str, str]:
    """A dataset file that our writer would refuse to write."""
    path = world.root / "datasets" / f"{name}.jsonl"
    path.write_text("".join(lines))
    return {"path": f"datasets/{name}.jsonl", "sha256": sha256_of(path)}


def broken_line(world: World) -> Case:
    first, second = (json.dumps(row) + "\n" for row in demonstrations(2))
    people = {"demonstrations": by_hand(world, "broken", [first, second[:40]])}
    return "sft", world.run("bad", "sft", SFT, people, {"policy": "base"})


def no_answer(world: World) -> Case:
    lines = [json.dumps(row | {"completion": ""}) + "\n" for row in demonstrations(1)]
    return "sft", world.run("bad", "sft", SFT, {"demonstrations": by_hand(world, "empty", lines)}, {"policy": "base"})


def one_completion(world: World) -> Case:
    lines = [json.dumps(row | {"completions": ["A lemon."], "ranks": [1]}) + "\n" for row in rankings(1)]
    people = {
        "rankings": by_hand(world, "single", lines),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    return "reward_model", world.run("bad", "reward_model", REWARD_MODEL, people, {"policy": "sft"})


def prompt_over_the_limit(world: World) -> Case:
    asked = {"prompts": world.dataset("asked", "prompts", prompts(32))}
    parents = {"policy": "sft", "reward_model": "rm"}
    return "ppo", world.run("bad", "ppo", PPO | {"max_prompt_tokens": 4}, asked, parents)


def judge_of_other_tokens(world: World) -> Case:
    checkpoint = world.root / "runs" / "rm" / "checkpoint"
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(checkpoint)
    asked = {"prompts": world.dataset("asked", "prompts", prompts(32))}
    return "ppo", world.run("bad", "ppo", PPO, asked, {"policy": "sft", "reward_model": "rm"})


def unknown_setting(world: World) -> Case:
    return sft(world, learning_rate=1e-3)


def setting_out_of_range(world: World) -> Case:
    return sft(world, epochs=0)


def no_checkpoint(world: World) -> Case:
    case = sft(world)
    shutil.rmtree(world.root / "runs" / "base" / "checkpoint")
    return case


def long_demonstration(world: World) -> Case:
    (row,) = demonstrations(1)
    return sft(world, [row | {"completion": "The lemon is yellow. " * 40}])


def long_prompt(world: World) -> Case:
    (row,) = prompts(1)
    asked = world.dataset("long", "prompts", [row | {"prompt": "What color is the lemon? " * 40}])
    spec = {"samples_per_prompt": 4, "response_length": 8}
    return "sample", world.run("bad", "sample", spec, {"prompts": asked}, {"policy": "sft"})


def no_room_to_answer(world: World) -> Case:
    asked = {"prompts": world.dataset("asked", "prompts", prompts(32))}
    parents = {"policy": "sft", "reward_model": "rm"}
    return "ppo", world.run("bad", "ppo", PPO | {"response_length": 64}, asked, parents)


def only_ties(world: World) -> Case:
    tied = [row | {"ranks": [1, 1, 1, 1]} for row in rankings(8)]
    people = {
        "rankings": world.dataset("tied", "rankings", tied),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    return "reward_model", world.run("bad", "reward_model", REWARD_MODEL, people, {"policy": "sft"})


def only_ties_to_validate_on(world: World) -> Case:
    tied = [row | {"ranks": [1, 1, 1, 1]} for row in rankings(8)]
    people = {
        "rankings": world.dataset("ranked", "rankings", rankings(8)),
        "valid_rankings": world.dataset("tied", "rankings", tied),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(8)),
    }
    return "reward_model", world.run("bad", "reward_model", REWARD_MODEL, people, {"policy": "sft"})


def labeler_cv(world: World, rows: list[dict[str, Any]], **spec: Any) -> Case:
    people = {"rankings": world.dataset("people", "rankings", rows)}
    return "labeler_cv", world.run("bad", "labeler_cv", spec, people, {"policy": "sft"})


def fewer_labelers_than_folds(world: World) -> Case:
    return labeler_cv(world, rankings(24))


def only_ties_to_cross_validate(world: World) -> Case:
    return labeler_cv(world, [row | {"ranks": [2, 2, 2, 2]} for row in rankings(24)], folds=3)


def a_labeler_who_ties_everything(world: World) -> Case:
    tied = [row | ({"ranks": [1, 1, 1, 1]} if row["labeler"] == "l2" else {}) for row in rankings(24)]
    return labeler_cv(world, tied, folds=3, seeds=1)


def one_prompt_only(world: World) -> Case:
    return labeler_cv(world, [row | {"prompt_id": "p0"} for row in rankings(24)], folds=3)


def one_fold(world: World) -> Case:
    return labeler_cv(world, rankings(24), folds=1)


def policy_for_a_judge(world: World) -> Case:
    asked = {"prompts": world.dataset("asked", "prompts", prompts(32))}
    return "ppo", world.run("bad", "ppo", PPO, asked, {"policy": "sft", "reward_model": "sft"})


def texts_too_short(world: World) -> Case:
    corpus = {
        "texts": world.dataset("short", "texts", [{"text": "A lemon."}]),
        "valid_texts": world.dataset("short_valid", "texts", [{"text": "A leaf."}]),
    }
    return "pretrain", world.run("bad", "pretrain", PRETRAIN, corpus)


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (missing_file, "The input 'demonstrations' is missing: datasets/people.jsonl"),
        (file_that_was_changed, "(datasets/people.jsonl) has changed: its SHA-256 is"),
        (nothing_in_it, "file none.jsonl holds no rows"),
        (broken_line, "file broken.jsonl line 2: this is not JSON"),
        (no_answer, "file empty.jsonl line 1: the row has a bad field 'completion'"),
        (one_completion, "file single.jsonl line 1: the row holds 1 completion, a ranking needs at least 2."),
        (prompt_over_the_limit, "tokens, max_prompt_tokens is 4."),
        (judge_of_other_tokens, "runs/rm/checkpoint has another tokenizer than the policy"),
        (unknown_setting, "The sft spec has no setting 'learning_rate'."),
        (setting_out_of_range, "epochs is 0; it must be more than 0."),
        (no_checkpoint, "The parent 'policy' is missing: there is no checkpoint in runs/base/checkpoint."),
        (long_demonstration, "file people.jsonl line 1: prompt and completion need"),
        (long_prompt, "file long.jsonl line 1: prompt and completion need"),
        (no_room_to_answer, "tokens, the model reads 64 at most."),
        (only_ties, "file tied.jsonl: all completions of every ranking are tied"),
        (only_ties_to_validate_on, "file tied.jsonl: all completions of every ranking are tied"),
        (fewer_labelers_than_folds, "file people.jsonl: 5 folds need as many labelers, and it has rankings by 3."),
        (only_ties_to_cross_validate, "file people.jsonl: all completions of every ranking are tied"),
        (a_labeler_who_ties_everything, "of 3 with seed 1 has no comparison for 'held_out'; set fewer folds"),
        (one_prompt_only, "fold 1 of 3 with seed 1 has no comparison for 'train'"),
        (one_fold, "folds is 1; leaving a group of labelers out needs at least 2."),
        (policy_for_a_judge, "runs/sft/checkpoint is not a reward model"),
        (texts_too_short, "less than one row of 32."),
    ],
)
def test_what_cannot_work_is_one_sentence(world: World, case: Callable[[World], Case], sentence: str) -> None:
    recipe, folder = case(world)
    code = importlib.import_module(f"training.recipes.{recipe}").main(["--run-dir", str(folder)])
    status = read_status(folder / "status.json")
    assert status is not None
    assert (code, status["state"]) == (1, "failed")
    assert sentence in (status["error"] or "")
    assert "Traceback" not in (status["error"] or "")
    assert not (folder / "checkpoint").exists()
