"""One iteration of PPO: episodes a second, beside TRL 1.12.0's PPOTrainer, the last one with PPO.

64 episodes (128 of the 1B), prompts of 48 to 80 tokens, up to 64 new ones, one epoch of 4
minibatches, no pretraining text. Ragged responses end by chance, one token in 65; full-length ones practically never.
TRL's bf16 is its accelerator's. Both take the log-probabilities of the old policy from the sampler
(`old_logprobs`).
"""

import math
import os
import random
import tempfile
from typing import Any

import torch
from torch import nn

from benchmarks.training.timing import Work
from benchmarks.training.world import AMOUNTS, END, PAD, VOCABULARY, Lengths, causal_lm, classifier, device, tokenizer
from training.contract.specs import PpoSpec
from training.rlhf.packed import enable_packing, set_precision
from training.rlhf.ppo_trainer import Models, PpoTrainer
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.targets import advantages_of

MINIBATCHES, LENGTH, KL_COEF = 4, 64, 0.05


def prompts(size: str) -> list[list[int]]:
    rng, texts = random.Random(0), Lengths()
    return [texts.draw(rng) for _ in range(AMOUNTS[size].episodes)]


def policy(size: str, *, ragged: bool) -> Any:
    """With random weights all tokens are about as probable; a bias on the end token makes responses ragged."""
    model: Any = causal_lm(size)
    if ragged:
        head = nn.Linear(model.config.hidden_size, VOCABULARY, device=device())
        head.weight, head.bias.data = model.lm_head.weight, torch.zeros(VOCABULARY, device=device())
        head.bias.data[END] = math.log(VOCABULARY / 64)
        model.lm_head = head
    return model


def ours(size: str, precision: str, *, ragged: bool, samples: int = 1, repeated: int = 1) -> Work:
    """Iterations as the recipe does them, `samples` of each prompt; or each prompt `repeated` times by itself."""
    episodes = AMOUNTS[size].episodes
    spec = PpoSpec(
        total_episodes=episodes,
        batch_size=episodes,
        minibatch_size=episodes // MINIBATCHES,
        samples_per_prompt=samples,
        response_length=LENGTH,
        kl_coef=KL_COEF,
        old_logprobs="sampler",
        ema_decay=0.0,
    )
    actor, reference = policy(size, ragged=ragged), policy(size, ragged=ragged).requires_grad_(False)
    reward_model, value = (ScalarModel(classifier(size)) for _ in range(2))
    for model in (actor, reference):
        enable_packing(model)
    for model in (actor, reference, reward_model.classifier, value.classifier):
        set_precision(model, precision)
    trainer = PpoTrainer(Models(actor, value, reference, reward_model, END, PAD), spec, seed=0)
    batch = [prompt for prompt in prompts(size)[: episodes // samples // repeated] for _ in range(repeated)]
    iteration = 0

    def work() -> float:
        nonlocal iteration
        rollout = trainer.roll_out(batch, iteration)
        targets, _ = advantages_of(rollout, spec, spec.kl_coef)
        trainer.update(iteration, rollout, targets, lambda step: None)
        iteration += 1
        return episodes

    return work


def peer(size: str, precision: str, *, ragged: bool) -> Work:
    """TRL's trainer, one iteration a call."""
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16" if precision == "bf16" else "no"
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl.experimental.ppo import PPOConfig, PPOTrainer

    episodes = AMOUNTS[size].episodes
    rows = Dataset.from_dict({"input_ids": prompts(size)})
    trainer = PPOTrainer(
        args=PPOConfig(
            output_dir=tempfile.mkdtemp(prefix="podium-peer-"),
            per_device_train_batch_size=episodes,
            gradient_accumulation_steps=1,
            num_mini_batches=MINIBATCHES,
            num_ppo_epochs=1,
            total_episodes=episodes,
            local_rollout_forward_batch_size=episodes,
            response_length=LENGTH,
            stop_token="eos",
            temperature=1.0,
            kl_coef=KL_COEF,
            gradient_checkpointing=False,
            bf16=precision == "bf16",
            use_cpu=device().type == "cpu",
            num_sample_generations=0,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        processing_class=tokenizer(padding_side="left"),
        model=policy(size, ragged=ragged),
        ref_model=policy(size, ragged=ragged),
        reward_model=classifier(size),
        value_model=classifier(size),
        train_dataset=rows,
        eval_dataset=rows,
    )
    trainer.remove_callback(PrinterCallback)

    def work() -> float:
        trainer.train()
        return episodes

    return work
