"""What the form begins with: the paper's numbers, or those of the miniature; and the courses that a round can take.

The specs of the miniature and the toy size are those of the demonstration (simulation/sizes.py takes them from here).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from labeling.prompts.models import Split
from labeling.rounds.settings import PARTS

Spec = dict[str, Any]


class Course(NamedTuple):
    """A subset of the loop that is asked for often."""

    label: str
    run: tuple[str, ...]


COURSES = {
    "loop": Course("The full loop", PARTS),
    "sft": Course("Collect demonstrations and SFT only", ("sft",)),
    "reward": Course("Rank, and a reward model, from an existing policy", ("reward_model",)),
    "ppo": Course("PPO from an existing reward model, and judge", ("ppo_ptx", "ppo", "judge", "evaluate")),
    "judge": Course("Judge existing policies only", ("judge",)),
}
OWN = "own"  # the parts are ticked one by one

RESPONSE_LENGTH = 48  # tokens, which are words and marks: the longest answer the world asks for is a story
ONE_THREAD: Spec = {"threads": 1}

MINIATURE: dict[str, Spec] = {
    "pretrain": {
        "hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 256,
        "max_position_embeddings": 128, "block_size": 96, "steps": 7000, "batch_size": 8, "lr": 6e-3,
        "warmup_steps": 100, "eval_every": 1000, "save_every": 1000, "threads": 2,
    },
    "sft": {
        "epochs": 4, "batch_size": 16, "lr": 2e-3, "residual_dropout": 0.0, "max_prompt_tokens": 64,
        # PPO's reference has to stay a language model: without the mix, ptx pulls the policy away from SFT.
        "pretraining_mix": 0.1, "pretraining_block_size": 96, **ONE_THREAD,
    },
    "sample": {
        "temperature": 1.0, "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64, "batch_size": 256,
        "decode_batch_size": 256, **ONE_THREAD,
    },
    "reward_model": {
        "epochs": 2, "batch_size": 16, "lr": 1e-3, "weight_decay": 0.05, "unit_std": True, "max_prompt_tokens": 64,
        **ONE_THREAD,
    },
    "ppo": {
        "total_episodes": 128 * 30, "batch_size": 128, "minibatch_size": 32, "num_ppo_epochs": 2,
        "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64, "lr": 3e-4, "value_lr": 6e-4,
        "warmup_iterations": 5, "kl_coef": 0.2, "cliprange_value": 0.3, "value_pretrain_iterations": 2,
        "ema_decay": 0.9, **ONE_THREAD,
    },
    "ptx": {"ptx_coef": 0.5, "ptx_examples_per_episode": 0.5, "ptx_block_size": 96},
    "evaluate": {
        "block_size": 96, "max_blocks": 300, "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64,
        **ONE_THREAD,
    },
}  # fmt: skip

TOY: dict[str, Spec] = {
    **MINIATURE,
    "pretrain": {**MINIATURE["pretrain"], "steps": 300, "batch_size": 8, "eval_every": 150, "save_every": 100},
    "sft": {**MINIATURE["sft"], "epochs": 2},
    "reward_model": {**MINIATURE["reward_model"], "epochs": 1},
    "ppo": {
        **MINIATURE["ppo"], "total_episodes": 32 * 5, "batch_size": 32, "minibatch_size": 16, "save_every": 2,
    },
    "evaluate": {**MINIATURE["evaluate"], "max_blocks": 50},
}  # fmt: skip

# The start of PPO has the pretraining mix (C.3). 27.8, the paper's ptx_coef, goes with a normalization it does not
# state; with means per token 0.5 is at the upper end of what works.
PAPER: dict[str, Spec] = {
    "sft": {"epochs": 2, "pretraining_mix": 0.1},
    "ptx": {"ptx_coef": 0.5},
}


class Preset(NamedTuple):
    """Where the form can begin. `counts` are prompts at most: what is not there cannot be asked for."""

    label: str
    about: str
    specs: Mapping[str, Spec]
    counts: Mapping[str, int]
    others: Mapping[str, Any]


PRESETS = {
    "paper": Preset(
        "As in the paper",
        "Hyperparameters of Ouyang et al. 2022 for the 1.3B and 6B models, prompts as in Table 6, or all there are.",
        PAPER,
        {"demonstrate": 12_725, "rank": 33_207, "rank_valid": 17_887, "judge": 1_000, "requeue": 0, "ppo": 31_144},
        {"k": 9},
    ),
    "miniature": Preset(
        "Miniature",
        "Small models on a processor, for some hours: what the demonstration runs with.",
        MINIATURE,
        {"demonstrate": 1_800, "rank": 2_400, "rank_valid": 300, "judge": 400, "requeue": 100, "ppo": 0},
        {"k": 6, "judges": 3},
    ),
    "toy": Preset(
        "Toy",
        "The same in minutes, to try the way of a round. It claims nothing about quality.",
        TOY,
        {"demonstrate": 150, "rank": 100, "rank_valid": 30, "judge": 40, "requeue": 10, "ppo": 0},
        {"k": 4, "judges": 2},
    ),
}
SPLIT_OF = {
    "demonstrate": Split.TRAIN,
    "rank": Split.TRAIN,
    "rank_valid": Split.VALID,
    "judge": Split.TEST,
    "requeue": Split.TRAIN,
    "ppo": Split.TRAIN,
}


def settings_of(preset: Preset, available: Mapping[str, int]) -> dict[str, Any]:
    """The preset as settings of a round, with no more prompts than each split has."""
    counts = {name: min(count, available.get(SPLIT_OF[name], 0)) for name, count in preset.counts.items()}
    specs = {name: dict(spec) for name, spec in preset.specs.items() if name != "ptx"}
    for name in ("pretrain", "sft", "sample", "reward_model", "ppo", "evaluate"):
        specs.setdefault(name, {})
    specs["ppo_ptx"] = {**specs["ppo"], **preset.specs["ptx"]}
    return {"run": list(PARTS), "prompts": counts, "specs": specs, **preset.others}
