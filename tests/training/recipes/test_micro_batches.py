"""How a batch is cut into forward passes is a matter of memory and not of the result (but for rounding)."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.recipes.conftest import PPO, REWARD_MODEL, SFT
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, rankings, texts

WHOLE, PIECES = 100_000, 40  # tokens in one forward pass: the whole batch, one row or two
RECIPES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "sft": (SFT | {"residual_dropout": 0.0, "pretraining_mix": 0.5, "pretraining_block_size": 16}, {"policy": "base"}),
    "reward_model": (REWARD_MODEL, {"policy": "sft"}),
    "ppo": (
        # The first iteration only: one step of either model on the whole batch.
        PPO
        | {"minibatch_size": 32, "total_episodes": 32, "ema_decay": 0.0}
        | {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.25, "ptx_block_size": 16},
        {"policy": "sft", "reward_model": "rm"},
    ),
}


def first_row(world: World, recipe: str, micro_batch_tokens: int) -> dict[str, float]:
    inputs = {
        "texts": world.dataset("corpus", "texts", texts(100)),
        "prompts": world.dataset("asked", "prompts", prompts(24)),
        "demonstrations": world.dataset("people", "demonstrations", demonstrations(24)),
        "rankings": world.dataset("ranked", "rankings", rankings(24)),
    }
    spec, parents = RECIPES[recipe]
    changes = {"micro_batch_tokens": micro_batch_tokens}
    folder: Path = world.run(f"{recipe}-{micro_batch_tokens}", recipe, spec | changes, inputs, parents)
    finish(recipe, folder)
    return curves(folder)[0]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_first_step_does_not_depend_on_the_cut(world: World, recipe: str) -> None:
    """Losses, norms of gradients, and everything else that is reported of it."""
    whole, pieces = first_row(world, recipe, WHOLE), first_row(world, recipe, PIECES)
    assert any("grad_norm" in name for name in whole)
    assert pieces == pytest.approx(whole, rel=1e-4, abs=2e-6)
