"""PURE. Specs of the recipes for the miniature world and its toy size, small enough for a processor.

The form's presets (defaults.py) and the demonstration (simulation/sizes.py) take them from here.
"""

from typing import Any

Spec = dict[str, Any]

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
