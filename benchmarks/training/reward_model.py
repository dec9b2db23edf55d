"""Training a reward model on K-wise rankings: comparisons a second, beside TRL's RewardTrainer on the same rankings."""

import random
import tempfile
from typing import Any

from benchmarks.training.timing import Work, grouped
from benchmarks.training.world import Lengths, classifier, tokenizer
from training.contract.specs import RewardModelSpec
from training.rlhf.comparisons import RankedPrompt
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packed import set_precision
from training.rlhf.reward_training import backward
from training.rlhf.scalar_head import ScalarModel

PEER_PAIRS = 9  # rows of a batch are twice as many; 4, 9, 18 and 36 were tried and none was clearly better


def rankings(k: int, count: int, seed: int = 0) -> list[RankedPrompt]:
    """Prompts and completions of 48 to 80 tokens, ranked 1 to K without ties."""
    rng, texts = random.Random(seed), Lengths()
    order = [(position, position + 1) for position in range(k)]
    return [RankedPrompt(texts.draw(rng), [texts.draw(rng, end=True) for _ in range(k)], [order]) for _ in range(count)]


def ours(size: str, k: int, precision: str, prompts: int, per_step: int) -> Work:
    """K-wise steps over so many prompts, `per_step` at a time: the units are comparisons."""
    ranked = rankings(k, prompts)
    spec = RewardModelSpec(batch_size=per_step, micro_batch_tokens=1 << 20)
    model = ScalarModel(classifier(size))
    set_precision(model.classifier, precision)
    optimizer = adamw(model, spec.lr, spec)

    def work() -> float:
        for start in range(0, prompts, per_step):
            optimizer.zero_grad(set_to_none=True)
            backward(model, ranked[start : start + per_step], spec)
            clip_gradients(model, 1.0)
            optimizer.step()
        return sum(len(prompt.pairs) for prompt in ranked)

    return work


def peer(size: str, k: int, precision: str, steps: int) -> Work:
    """TRL's trainer over pre-tokenised pairs of the same rankings, `PEER_PAIRS` a step."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import RewardConfig, RewardTrainer

    pairs = []
    wanted = grouped(steps * PEER_PAIRS)
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
            per_device_train_batch_size=PEER_PAIRS,
            max_steps=steps,
            gradient_checkpointing=False,
            bf16=precision == "bf16",
            use_cpu=True,
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
        return steps * PEER_PAIRS

    return work
