"""The alignment tax (Ouyang et al. 2022, section 4.2, appendix E): PPO forgets how texts go on, pretraining gradients
bring that back without losing the reward, a larger KL coefficient only gives up the reward.

The reward is known: the share of one word. Seven seeds were tried; the margins are wide of all of them (lab log).
"""

import statistics
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.training.recipes.conftest import PPO, PRETRAIN, SFT
from tests.training.recipes.lexicon import lexicon_model
from tests.training.recipes.world import World, curves, demonstrations, finish, prompts, texts

SEEDS = (1,)
# The base has learnt all there is to learn from its texts: what ptx gives back is not training that it had missed.
BASE = PRETRAIN | {"steps": 300, "warmup_steps": 20, "eval_every": 0, "threads": 1}
LONG = PPO | {"total_episodes": 20 * 32, "lr": 2e-3, "threads": 1, "samples_every": 0, "save_every": 0}
PPO_RUNS = {
    "ppo": {"kl_coef": 0.02},
    "held": {"kl_coef": 1.0},
    "ptx": {"kl_coef": 0.02, "ptx_coef": 0.2, "ptx_examples_per_episode": 1.0, "ptx_block_size": 32},
}


class Measured(NamedTuple):
    loss: dict[str, float]  # on held-out texts, nats per token, by policy
    gain: dict[str, float]  # reward of the last iterations over that of the first


@pytest.fixture(scope="module", params=SEEDS)
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    seed: int = request.param
    world = World(tmp_path_factory.mktemp("tax"))
    corpus = world.dataset("texts", "texts", texts(300))
    valid = world.dataset("valid_texts", "texts", texts(40, seed=1))
    held_out = {"texts": world.dataset("held_out", "texts", texts(60, seed=5))}
    people = {"demonstrations": world.dataset("demonstrations", "demonstrations", demonstrations(48))}
    asked = {"prompts": world.dataset("asked", "prompts", prompts(24)), "texts": corpus}

    finish("pretrain", world.run("base", "pretrain", BASE, {"texts": corpus, "valid_texts": valid}, None, seed))
    finish("sft", world.run("sft", "sft", SFT, people, {"policy": "base"}, seed))
    runs = world.root / "runs"
    lexicon_model(runs / "sft" / "checkpoint", ["yellow"], runs / "judge" / "checkpoint")
    for name, changes in PPO_RUNS.items():
        parents = {"policy": "sft", "reward_model": "judge"}
        finish("ppo", world.run(name, "ppo", LONG | changes, asked, parents, seed))

    def loss(policy: str) -> float:
        spec = {"block_size": 32, "threads": 1}
        return float(
            finish("evaluate", world.run(f"of_{policy}", "evaluate", spec, held_out, {"policy": policy}))["lm_loss"]
        )

    found = Measured(
        {name: loss(name) for name in ("base", "sft", *PPO_RUNS)}, {name: gain(runs / name) for name in PPO_RUNS}
    )
    print(f"seed {seed}: {found}")
    return found


def gain(folder: Path) -> float:
    scores = [row["objective/scores"] for row in curves(folder)]
    return statistics.fmean(scores[-4:]) - statistics.fmean(scores[:2])


def test_ppo_pays_a_tax_on_top_of_fine_tuning(measured: Measured) -> None:
    assert measured.loss["base"] + 0.3 < measured.loss["sft"] < measured.loss["ppo"] - 0.3
    assert measured.gain["ppo"] > 0.6


def test_pretraining_gradients_give_it_back_and_keep_the_reward(measured: Measured) -> None:
    loss, gain = measured
    assert (loss["ppo"] - loss["ptx"]) / (loss["ppo"] - loss["base"]) > 0.9
    assert gain["ptx"] > 0.4 * gain["ppo"]


def test_a_larger_kl_coefficient_gives_up_the_reward_and_stays_where_fine_tuning_was(measured: Measured) -> None:
    loss, gain = measured
    assert loss["held"] - loss["base"] > 0.8 * (loss["sft"] - loss["base"])
    assert gain["held"] < 0.25 * gain["ppo"]
