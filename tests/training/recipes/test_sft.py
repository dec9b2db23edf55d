import pytest

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import SFT
from tests.training.recipes.world import World, curves, demonstrations, finish, texts

DEMONSTRATIONS = demonstrations(8)


def test_the_first_loss_is_the_mean_over_completion_tokens_of_the_parent(world: World) -> None:
    """One batch of all demonstrations without dropout: prompts bear no loss, the end token does."""
    people = {"demonstrations": world.dataset("eight", "demonstrations", DEMONSTRATIONS)}
    spec = {"epochs": 1, "batch_size": 8, "residual_dropout": 0.0, "micro_batch_tokens": 40}
    folder = world.run("run", "sft", spec, people, {"policy": "base"})
    finish("sft", folder)
    expected = by_hand.completion_loss(world.root / "runs" / "base" / "checkpoint", DEMONSTRATIONS)
    assert curves(folder)[0]["loss/train"] == pytest.approx(expected, abs=1e-5)


def test_dropout_is_on_in_training_and_off_in_validation(world: World) -> None:
    """The same first batch loses otherwise under dropout; the held-out loss is that of the checkpoint without any."""
    people = {
        "demonstrations": world.dataset("eight", "demonstrations", DEMONSTRATIONS),
        "valid_demonstrations": world.dataset("five", "demonstrations", demonstrations(5)),
    }
    spec = SFT | {"epochs": 2, "batch_size": 8, "residual_dropout": 0.2}
    folder = world.run("run", "sft", spec, people, {"policy": "base"})
    result = finish("sft", folder)
    base = by_hand.completion_loss(world.root / "runs" / "base" / "checkpoint", DEMONSTRATIONS)
    assert abs(curves(folder)[0]["loss/train"] - base) > 1e-3
    expected = by_hand.completion_loss(folder / "checkpoint", demonstrations(5))
    assert curves(folder)[-1]["val/loss"] == pytest.approx(expected, abs=1e-5)
    assert result["val_loss"] == pytest.approx(expected, abs=1e-4)
    assert result["steps"] == 2


def test_the_pretraining_mix_reports_the_parents_loss_on_text(world: World) -> None:
    """8 demonstrations and a share of a half: 8 rows of text a step, here all the rows there are."""
    corpus = texts(14)
    people = {
        "demonstrations": world.dataset("eight", "demonstrations", DEMONSTRATIONS),
        "texts": world.dataset("few", "texts", corpus),
    }
    base = world.root / "runs" / "base" / "checkpoint"
    size = 28
    rows = by_hand.blocks(base, [row["text"] for row in corpus], size)
    assert len(rows) == 8
    spec = {"epochs": 1, "batch_size": 8, "residual_dropout": 0.0, "pretraining_mix": 0.5}
    folder = world.run("run", "sft", spec | {"pretraining_block_size": size}, people, {"policy": "base"})
    finish("sft", folder)
    assert curves(folder)[0]["loss/ptx"] == pytest.approx(by_hand.text_loss(base, rows), abs=1e-5)
