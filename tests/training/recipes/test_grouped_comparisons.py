"""Comparisons of one ranking belong in one batch element (Ouyang et al. 2022, section 3.5).

Taken apart and shuffled, they show each of K completions in K - 1 updates of one epoch, with the same mistakes of the
labeler every time: the model learns the mistakes by heart. The same comparisons, as many in each update, grouped: it
has no time to.
"""

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.training.recipes.world import World, finish
from training.rlhf.word_tokenizer import train_word_tokenizer

K, PROMPTS, VALID_PROMPTS, PROMPTS_PER_STEP = 9, 240, 80, 4
PLAIN = [f"w{number}" for number in range(2000)]  # words that say nothing, each of them rare: easy to know again
GOOD, BAD = ([f"{kind}{number}" for number in range(20)] for kind in ("good", "bad"))
NOISE = 3.0  # scale of a labeler's mistake about a completion, the same in all its comparisons
SPEC = {"epochs": 1, "lr": 3e-3, "threads": 1, "save_every": 0}


def rankings(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Completions of eight words, up to three of them good or bad, ranked by these and the labeler's mistakes."""
    rows = []
    for number in range(count):
        completions, utilities = [], []
        for _ in range(K):
            words = rng.choices(PLAIN, k=8)
            for place in rng.sample(range(8), rng.randint(1, 3)):
                words[place] = rng.choice(rng.choice((GOOD, BAD)))
            gold = sum((word in GOOD) - (word in BAD) for word in words)
            completions.append(" ".join(words))
            utilities.append(gold - NOISE * math.log(-math.log(rng.random())))
        order = sorted(utilities, reverse=True)
        person = {"labeler": "l", "cohort": "training", "use_case": "other", "split": "train"}
        names = {"ranking_id": f"r{number}", "prompt_id": f"p{number}", "prompt": " ".join(rng.choices(PLAIN, k=4))}
        rows.append(person | names | {"completions": completions, "ranks": [1 + order.index(one) for one in utilities]})
    return rows


def taken_apart(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every comparison as a ranking of its own. (The recipe shuffles.)"""
    pairs = []
    for row in rows:
        for i in range(K):
            for j in range(i):
                two = [row["completions"][i], row["completions"][j]]
                ranks = [1, 2] if row["ranks"][i] < row["ranks"][j] else [2, 1]
                names = {name: f"{row[name]}-{i}-{j}" for name in ("ranking_id", "prompt_id")}
                pairs.append(row | names | {"completions": two, "ranks": ranks})
    return pairs


@pytest.mark.parametrize("seed", [1])
def test_grouped_comparisons_validate_better_than_shuffled_ones(seed: int, tmp_path: Path) -> None:
    world, rng = World(tmp_path), random.Random(seed)
    tokenizer = train_word_tokenizer([" ".join([*PLAIN, *GOOD, *BAD])], min_count=1, vocab_size=3000)
    torch.manual_seed(seed)
    start = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    start.save_pretrained(tmp_path / "runs" / "start" / "checkpoint")
    tokenizer.save_pretrained(tmp_path / "runs" / "start" / "checkpoint")
    rows, held_out = rankings(rng, PROMPTS), rankings(rng, VALID_PROMPTS)
    one = {"demonstration_id": "d", "prompt_id": "d", "prompt": "w1", "completion": "good1"}
    inputs = {
        "demonstrations": world.dataset("one", "demonstrations", [held_out[0] | one]),
        "valid_rankings": world.dataset("valid", "rankings", held_out),
    }

    def trained(name: str, rows: list[dict[str, Any]], batch_size: int) -> dict[str, Any]:
        asked = inputs | {"rankings": world.dataset(name, "rankings", rows)}
        spec = SPEC | {"batch_size": batch_size}
        return finish("reward_model", world.run(name, "reward_model", spec, asked, {"policy": "start"}, seed))

    grouped = trained("grouped", rows, PROMPTS_PER_STEP)
    shuffled = trained("shuffled", taken_apart(rows), PROMPTS_PER_STEP * K * (K - 1) // 2)
    assert (grouped["comparisons"], grouped["steps"]) == (shuffled["comparisons"], shuffled["steps"])
    for name, result in (("grouped", grouped), ("shuffled", shuffled)):
        print(f"seed {seed}, {name}: held-out loss {result['valid_loss']:.3f}, accuracy {result['valid_accuracy']:.3f}")
    assert grouped["valid_loss"] < shuffled["valid_loss"] - 0.05
    assert grouped["valid_accuracy"] > shuffled["valid_accuracy"]
