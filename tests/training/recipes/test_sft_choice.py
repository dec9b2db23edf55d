"""Which epoch becomes the checkpoint, against plain transformers on the checkpoint's own completions."""

import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import SFT
from tests.training.recipes.lexicon import lexicon_model
from tests.training.recipes.test_resume import assert_same
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, state_of, weights
from training.contract.rows import read_rows
from training.contract.status import read_status
from training.recipes import sft
from training.rlhf.best import Best

EPOCHS = 5
SPEC = SFT | {"epochs": EPOCHS, "batch_size": 8, "residual_dropout": 0.2, "response_length": 12}
# What the demonstrations never say: the longer the model learns from them, the less it expects it.
UNLIKELY = [row | {"completion": f"I like the {row['completion'].split()[1]}."} for row in demonstrations(8)]


def lay_out(world: World, run_id: str = "run", *, judged: bool = False, **changes: Any) -> Path:
    inputs = {
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(16)),
        "valid_demonstrations": world.dataset("held_out", "demonstrations", changes.pop("valid", UNLIKELY)),
    }
    parents = {"policy": "base"}
    if judged:
        base = world.root / "runs" / "base" / "checkpoint"
        lexicon_model(base, ["I", "like"], world.root / "runs" / "judge" / "checkpoint")
        parents["reward_model"] = "judge"
        inputs["valid_prompts"] = world.dataset("asked", "prompts", prompts(8))
    return world.run(run_id, "sft", SPEC | changes, inputs, parents)


def by_epoch(folder: Path, name: str) -> list[float]:
    return [row[name] for row in curves(folder) if name in row]


def test_the_epoch_of_the_lowest_loss_is_published(world: World) -> None:
    """On demonstrations that become less likely with every epoch: the first of five."""
    folder = lay_out(world)
    result = finish("sft", folder)
    losses = by_epoch(folder, "val/loss")
    assert len(losses) == EPOCHS and losses[0] == min(losses) < losses[-1] - 0.05
    assert by_hand.completion_loss(folder / "checkpoint", UNLIKELY) == pytest.approx(losses[0], abs=1e-5)
    assert result["val_loss"] == pytest.approx(losses[0], abs=1e-4)
    assert (result["chosen_epoch"], result["chosen_by"]) == (1, "loss")


def test_an_epoch_from_before_a_kill_is_published_after_it(world: World) -> None:
    """Two steps an epoch, killed before publishing: the state of step 9 goes on with the weights of the first epoch."""
    folder = lay_out(world, save_every=3)
    expected = finish("sft", folder)
    whole = weights(folder)
    shutil.rmtree(folder / "checkpoint")
    assert state_of(folder)["step"] == 9
    assert finish("sft", folder) == expected
    assert expected["chosen_epoch"] == 1
    assert_same(weights(folder), whole)


def test_with_a_reward_model_the_epoch_of_the_highest_reward_is_published(world: World) -> None:
    """The reward is the share of words that the demonstrations lack: neither the last epoch nor the one of the lowest
    loss. A sample run of the same seed draws the same completions from the checkpoint; by hand they are scored."""
    folder = lay_out(world, judged=True, valid=demonstrations(8))
    result = finish("sft", folder)
    rewards, losses = by_epoch(folder, "val/reward"), by_epoch(folder, "val/loss")
    best = rewards.index(max(rewards))
    assert len(rewards) == EPOCHS and best not in (EPOCHS - 1, losses.index(min(losses)))
    assert (result["chosen_epoch"], result["chosen_by"]) == (best + 1, "reward")
    assert by_hand.completion_loss(folder / "checkpoint", demonstrations(8)) == pytest.approx(losses[best], abs=1e-5)

    asked = {"prompts": world.dataset("asked", "prompts", prompts(8))}
    spec = {"samples_per_prompt": 1, "response_length": 12}
    sampled = world.run("sampled", "sample", spec, asked, {"policy": "run"})
    finish("sample", sampled)
    rows = read_rows(sampled / "samples.jsonl", "completions")
    end = by_hand.ids_of(folder / "checkpoint", "", "")[1][-1]
    read = [
        [
            *by_hand.ids_of(folder / "checkpoint", row["prompt"], "")[0],
            *row["token_ids"],
            *[end] * (not row["finished"]),
        ]
        for row in rows
    ]
    found = statistics.fmean(by_hand.rewards(world.root / "runs" / "judge" / "checkpoint", read))
    assert rewards[best] == pytest.approx(found, abs=1e-4)
    assert result["val_reward"] == pytest.approx(found, abs=1e-3)


def test_the_last_is_published_where_it_is_asked_for(world: World) -> None:
    """And choosing by validation does not change what is learned: the curves are the same."""
    folder = lay_out(world, choose="last", judged=True)
    result = finish("sft", folder)
    losses = by_epoch(folder, "val/loss")
    assert by_hand.completion_loss(folder / "checkpoint", UNLIKELY) == pytest.approx(losses[-1], abs=1e-5)
    assert (result["chosen_epoch"], result["chosen_by"]) == (EPOCHS, "last")
    assert {"val_loss", "val_reward"} <= result.keys()
    chosen = lay_out(world, "chosen", judged=True)
    finish("sft", chosen)
    assert curves(chosen) == curves(folder)


def test_validation_prompts_are_capped_and_the_same_in_every_epoch(world: World) -> None:
    """Without a step that moves the weights, every epoch has the same reward; three of eight prompts give another."""
    still = {"lr": 1e-30, "judged": True, "residual_dropout": 0.0}
    all_of_them, three = lay_out(world, "all", **still), lay_out(world, "three", valid_samples=3, **still)
    for folder in (all_of_them, three):
        finish("sft", folder)
        assert len(set(by_epoch(folder, "val/reward"))) == 1
    assert by_epoch(all_of_them, "val/reward")[0] != by_epoch(three, "val/reward")[0]


def test_the_prompts_of_held_out_demonstrations_serve_where_there_are_no_others(world: World) -> None:
    folder = lay_out(world, judged=True, valid=demonstrations(8))
    described = (folder / "run.json").read_text()
    finish("sft", folder)
    other = world.root / "runs" / "other"
    other.mkdir()
    (other / "run.json").write_text(described.replace('"valid_prompts"', '"unused"'))
    finish("sft", other)
    assert by_epoch(other, "val/reward") == by_epoch(folder, "val/reward")


def test_a_judge_without_prompts_is_refused(world: World) -> None:
    people = {"demonstrations": world.dataset("people", "demonstrations", demonstrations(8))}
    folder = world.run("run", "sft", SPEC, people, {"policy": "base", "reward_model": "rm"})
    assert sft.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None and "neither 'valid_prompts' nor 'valid_demonstrations'" in str(status["error"])


def test_without_validation_nothing_is_said_of_a_choice(world: World) -> None:
    people = {"demonstrations": world.dataset("people", "demonstrations", demonstrations(8))}
    result = finish("sft", world.run("run", "sft", SFT, people, {"policy": "base"}))
    assert set(result) == {"demonstrations", "steps"}


def test_the_best_weights_come_back_through_a_file(tmp_path: Path) -> None:
    """Scores 1, 3, 3, 2 with the weights 10, 20, 30, 40: the earlier of the equal ones; then the frozen are as live."""
    model = nn.Linear(1, 1)
    model.bias.requires_grad_(False)
    best = Best(model)
    for score, value in ((1.0, 10.0), (3.0, 20.0), (3.0, 30.0), (2.0, 40.0)):
        nn.init.constant_(model.weight, value)
        nn.init.constant_(model.bias, value)
        best.offer(score, {"epoch": value})
    torch.save(best.state_dict(), tmp_path / "state.pt")
    again = Best(model)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    again.restore()
    assert (model.weight.item(), model.bias.item(), again.score, again.facts) == (20.0, 40.0, 3.0, {"epoch": 20.0})
    assert not weights_of(best) & {"bias"}


def weights_of(best: Best) -> set[str]:
    return set(best.state_dict()["weights"])
