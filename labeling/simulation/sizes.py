"""The settings of the miniature InstructGPT run, by size: how much of everything, and one spec per recipe.

`mini` is the demonstration: the figures in docs/lab-log.md were measured with it. `toy` runs the same code path in two
minutes and claims nothing about quality. Everything is counted in steps and rows, never in time, so that a slow
machine gets the same result later.
"""

from dataclasses import dataclass, field
from typing import Any

Spec = dict[str, Any]


@dataclass(frozen=True)
class Size:
    name: str

    # The world
    documents: int  # base corpus
    valid_documents: int  # held-out language-model loss, the measure of the alignment tax

    # People
    labelers: int  # training cohort
    heldout_labelers: int  # judge the final comparison, never train anything
    demonstration_prompts: int
    ranking_prompts: int  # one ranking each, as most comparisons in the paper
    valid_ranking_prompts: int  # ranked by the held-out cohort: the reward model's accuracy
    samples_per_prompt: int  # K
    test_prompts: int
    judgements_per_prompt: int  # different held-out labelers on the same test prompt
    new_ranking_prompts: int  # the next round's first items, with samples of the trained policy

    # Recipes (training/contract/specs)
    pretrain: Spec = field(default_factory=dict)
    sft: Spec = field(default_factory=dict)
    sample: Spec = field(default_factory=dict)
    reward_model: Spec = field(default_factory=dict)
    ppo: Spec = field(default_factory=dict)
    ptx: Spec = field(default_factory=dict)  # what PPO-ptx changes in `ppo`
    evaluate: Spec = field(default_factory=dict)

    @property
    def ppo_ptx(self) -> Spec:
        return {**self.ppo, **self.ptx}


RESPONSE_LENGTH = 48  # tokens, which are words and marks: the longest answer the world asks for is a story
ONE_THREAD: Spec = {"threads": 1}

MINI = Size(
    name="mini",
    documents=90_000,
    valid_documents=2_000,
    labelers=10,
    heldout_labelers=5,
    demonstration_prompts=1_800,
    ranking_prompts=2_400,
    valid_ranking_prompts=300,
    samples_per_prompt=6,  # 15 pairs a ranking instead of 6, for the same clicks
    test_prompts=400,
    judgements_per_prompt=3,
    new_ranking_prompts=100,
    pretrain={
        "hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 3, "intermediate_size": 256,
        "max_position_embeddings": 128, "block_size": 96, "steps": 7000, "batch_size": 8, "lr": 6e-3,
        "warmup_steps": 100, "eval_every": 1000, "save_every": 1000, "threads": 2,
    },
    sft={
        "epochs": 4, "batch_size": 16, "lr": 2e-3, "residual_dropout": 0.0, "max_prompt_tokens": 64,
        # PPO's reference has to stay a language model: without the mix, ptx pulls the policy away from SFT.
        "pretraining_mix": 0.1, "pretraining_block_size": 96, **ONE_THREAD,
    },
    sample={
        "temperature": 1.0, "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64, "batch_size": 256,
        "decode_batch_size": 256, **ONE_THREAD,
    },
    reward_model={
        "epochs": 2, "batch_size": 16, "lr": 1e-3, "weight_decay": 0.05, "unit_std": True, "max_prompt_tokens": 64,
        **ONE_THREAD,
    },
    ppo={
        "total_episodes": 128 * 30, "batch_size": 128, "minibatch_size": 32, "num_ppo_epochs": 2,
        "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64, "lr": 3e-4, "value_lr": 6e-4,
        "warmup_iterations": 5, "kl_coef": 0.2, "cliprange_value": 0.3, "value_pretrain_iterations": 2,
        "ema_decay": 0.9, **ONE_THREAD,
    },
    ptx={"ptx_coef": 0.5, "ptx_examples_per_episode": 0.5, "ptx_block_size": 96},
    evaluate={
        "block_size": 96, "max_blocks": 300, "response_length": RESPONSE_LENGTH, "max_prompt_tokens": 64,
        **ONE_THREAD,
    },
)  # fmt: skip

TOY = Size(
    name="toy",
    documents=8_000,
    valid_documents=300,
    labelers=3,
    heldout_labelers=2,
    demonstration_prompts=150,
    ranking_prompts=100,
    valid_ranking_prompts=30,
    samples_per_prompt=4,
    test_prompts=40,
    judgements_per_prompt=2,
    new_ranking_prompts=10,
    pretrain={**MINI.pretrain, "steps": 300, "batch_size": 8, "eval_every": 150, "save_every": 100},
    sft={**MINI.sft, "epochs": 2},
    sample=MINI.sample,
    reward_model={**MINI.reward_model, "epochs": 1},
    ppo={**MINI.ppo, "total_episodes": 32 * 5, "batch_size": 32, "minibatch_size": 16, "save_every": 2},
    ptx=MINI.ptx,
    evaluate={**MINI.evaluate, "max_blocks": 50},
)

SIZES: dict[str, Size] = {size.name: size for size in (MINI, TOY)}
