"""Training a reward model on K-wise rankings: comparisons a second, beside TRL's RewardTrainer on the same rankings."""

import random
import tempfile
from typing import Any

from benchmarks.training.timing import Work, grouped
from benchmarks.training.world import AMOUNTS, Lengths, classifier, device, tokenizer
from training.contract.specs import RewardModelSpec
from training.rlhf.comparisons import RankedPrompt
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packed import set_precision
from training.rlhf.reward_training import backward
from training.rlhf.scalar_head import ScalarModel


def rankings(k: int, count: int, seed: int = 0) -> list[RankedPrompt]:
    """Prompts and completions of 48 to 80 tokens, ranked 1 to K without ties."""
    rng, texts = random.Random(seed), Lengths()
    order = [(position, position + 1) for position in range(k)]
    return [RankedPrompt(texts.draw(rng), [texts.draw(rng, end=True) for _ in range(k)], [order]) for _ in range(count)]


def measured(size: str, k: int) -> list[list[RankedPrompt]]:
    """What each step trains on."""
    steps, per_step = AMOUNTS[size].steps, AMOUNTS[size].rankings * (1 if k == 9 else 2)
    ranked = rankings(k, steps * per_step)
    return [ranked[start : start + per_step] for start in range(0, len(ranked), per_step)]


def ours(size: str, k: int, precision: str) -> Work:
    """K-wise steps: the units are comparisons."""
    batches = measured(size, k)
    spec = RewardModelSpec(batch_size=len(batches[0]), micro_batch_tokens=1 << 20)
    model = ScalarModel(classifier(size))
    set_precision(model.classifier, precision)
    optimizer = adamw(model, spec.lr, spec)

    def work() -> float:
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            backward(model, batch, spec)
            clip_gradients(model, 1.0)
            optimizer.step()
        return sum(len(prompt.pairs) for batch in batches for prompt in batch)

    return work


def peer(size: str, k: int, precision: str) -> Work:
    """TRL's trainer over pre-tokenised pairs of the same rankings."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import RewardConfig, RewardTrainer

    steps, per_step = AMOUNTS[size].steps, AMOUNTS[size].pairs
    pairs = []
    wanted = grouped(steps * per_step)
    for prompt in rankings(k, -(-wanted * 2 // (k * (k - 1)))):
        for pair in prompt.pairs:
            chosen, rejected = (prompt.prompt + prompt.completions[position] for position in pair)
            length = max(len(chosen), len(rejected))
            pairs.append({"chosen_ids": chosen, "rejected_ids": rejected, "length": length})
    model: Any = classifier(size)
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(
            output_dir=tempfile.mkdtemp(prefix="podium-peer-"),
            per_device_train_batch_size=per_step,
            max_steps=steps,
            gradient_checkpointing=False,
            bf16=precision == "bf16",
            use_cpu=device().type == "cpu",
            train_sampling_strategy="group_by_length",
            length_column_name="length",
            save_strategy="no",
            report_to="none",
            logging_steps=1000,
            disable_tqdm=True,
            remove_unused_columns=False,
        ),
        train_dataset=Dataset.from_list(pairs[:wanted]),
        processing_class=tokenizer(),
    )
    trainer.remove_callback(PrinterCallback)  # our table is what is printed

    def work() -> float:
        trainer.train()
        return steps * per_step

    return work
