"""PPO against a reward that is known: the share of one word. Nine runs, a second or two each.

The reward rises, the distance to the start stays within what the reward pays for, and a larger coefficient buys less.
"""

import statistics
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.training.recipes import by_hand
from tests.training.recipes.conftest import PPO, copy_of
from tests.training.recipes.lexicon import lexicon_model, reward_by_hand, token_of
from tests.training.recipes.world import World, curves, finish, prompts
from training.contract.rows import read_rows

WORD = "yellow"
SEEDS = (1, 2, 3)
KL_COEFS = (0.02, 0.2, 1.0)
LONG = PPO | {"total_episodes": 20 * 32, "lr": 2e-3, "threads": 1, "samples_every": 0, "save_every": 0}

Runs = dict[tuple[float, int], Path]


@pytest.fixture(scope="module")
def judged(trained: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = copy_of(trained, tmp_path_factory.mktemp("learning"))
    runs = world.root / "runs"
    lexicon_model(runs / "sft" / "checkpoint", [WORD], runs / "judge" / "checkpoint")
    return world


@pytest.fixture(scope="module")
def runs(judged: World) -> Runs:
    asked = {"prompts": judged.dataset("asked", "prompts", prompts(24))}
    folders: Runs = {}
    for kl_coef in KL_COEFS:
        for seed in SEEDS:
            name, spec = f"ppo-{kl_coef}-{seed}", LONG | {"kl_coef": kl_coef}
            folder = judged.run(name, "ppo", spec, asked, {"policy": "sft", "reward_model": "judge"}, seed)
            finish("ppo", folder)
            folders[kl_coef, seed] = folder
    return folders


def early(folder: Path, name: str) -> float:
    return statistics.fmean(row[name] for row in curves(folder)[:2])


def late(folder: Path, name: str) -> float:
    return statistics.fmean(row[name] for row in curves(folder)[-8:])


def test_the_reward_is_the_share_of_the_word(judged: World) -> None:
    checkpoint = judged.root / "runs" / "judge" / "checkpoint"
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    word, other, end = token_of(tokenizer, WORD), token_of(tokenizer, "The"), tokenizer.eos_token_id
    rows = [[other, other, end], [other, word, other, word, other, end], [word] * 9 + [end]]
    expected = [reward_by_hand(found, tokens) for found, tokens in ((0, 3), (2, 6), (9, 10))]
    assert by_hand.rewards(checkpoint, rows) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reward_rises_and_the_larger_the_coefficient_the_smaller_the_kl(runs: Runs, seed: int) -> None:
    folders = [runs[kl_coef, seed] for kl_coef in KL_COEFS]
    gains = [late(folder, "objective/scores") - early(folder, "objective/scores") for folder in folders]
    kls = [late(folder, "objective/kl") for folder in folders]
    for kl_coef, gain, kl in zip(KL_COEFS, gains, kls, strict=True):
        print(f"seed {seed}, kl_coef {kl_coef}: reward up by {gain:.2f}, KL {kl:.2f}")
    assert gains[0] > 2 * gains[1] > 0.6
    assert kls[0] > 2 * kls[1] > 4 * kls[2] > 0
    # No optimum pays more for its distance than its reward gains. (At the largest both are of the size of the noise.)
    assert all(kl_coef * kl < gain for kl_coef, gain, kl in zip(KL_COEFS[:2], gains, kls, strict=False))


def test_what_the_reward_stands_for_rises_with_it(runs: Runs, judged: World) -> None:
    """Counted in completions of the checkpoint, which holds the averaged weights."""

    def words(parent: str) -> float:
        asked = {"prompts": judged.dataset("eight", "prompts", prompts(8))}
        spec = {"response_length": 12, "samples_per_prompt": 8}
        folder = judged.run(f"{parent}-answers", "sample", spec, asked, {"policy": parent})
        finish("sample", folder)
        rows = read_rows(folder / "samples.jsonl", "completions")
        return statistics.fmean(row["completion"].count(WORD) for row in rows)

    start, restrained, free = (words(parent) for parent in ("sft", runs[0.2, 1].name, runs[0.02, 1].name))
    print(f"'{WORD}' in a completion: {start:.2f} at first, {restrained:.2f} at kl_coef 0.2, {free:.2f} at 0.02")
    assert free > 2 * restrained > 2 * start
