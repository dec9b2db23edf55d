"""The sizes: every spec is one the recipes accept, and the world has as many prompts as a size asks for."""

import pytest

from labeling.simulation.sizes import SIZES, Size
from labeling.simulation.world import World
from training.contract.specs import spec_from_dict


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(
    ("recipe", "stage"),
    [("pretrain", "pretrain"), ("sft", "sft"), ("sample", "sample"), ("reward_model", "reward_model"), ("ppo", "ppo"),
     ("ppo", "ppo_ptx"), ("evaluate", "evaluate")],
)  # fmt: skip
def test_the_recipes_accept_every_spec(size: Size, recipe: str, stage: str) -> None:
    spec_from_dict(recipe, getattr(size, stage))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_world_has_enough_prompts(size: Size) -> None:
    world = World(1)
    for split, count in (("train", size.ranking_prompts), ("train", size.demonstration_prompts),
                         ("valid", size.valid_ranking_prompts), ("test", size.test_prompts)):  # fmt: skip
        assert len(world.prompts(split, count)) == count


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_ranking_shows_four_to_nine(size: Size) -> None:
    assert 4 <= size.samples_per_prompt <= 9


def test_ptx_differs_from_ppo_by_the_mix_alone() -> None:
    size = SIZES["mini"]
    changed = {name for name, value in size.ppo_ptx.items() if size.ppo.get(name) != value}
    assert changed == {"ptx_coef", "ptx_examples_per_episode", "ptx_block_size"}
