"""Supervised fine-tuning: real tokens a second, beside TRL's SFTTrainer over the same texts.

Texts of 32 to 256 tokens, loss on all of them; on a CPU 16 a step, in passes of at most 2,048 tokens. TRL's best ways
here are its packing "wrapped", as many tokens in rows of 256 whose texts see each other, and unpacked rows of like
length, which were as fast; its default packing wants flash attention.
"""

import random
import tempfile
from typing import Any

from benchmarks.training.timing import Work
from benchmarks.training.world import AMOUNTS, Lengths, causal_lm, device, tokenizer
from training.contract.specs import SftSpec
from training.recipes.sft import backward
from training.rlhf.examples import Example
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packed import enable_packing, set_precision

LONGEST = 256  # tokens of a row


def texts(count: int) -> list[list[int]]:
    rng, lengths = random.Random(0), Lengths(32, LONGEST)
    return [lengths.draw(rng, end=True) for _ in range(count)]


def ours(size: str, precision: str) -> Work:
    """Packed steps as the recipe does them: no padding, no text sees another."""
    amounts = AMOUNTS[size]
    examples = [Example(ids, 1) for ids in texts(amounts.steps * amounts.texts)]
    spec = SftSpec(residual_dropout=0.0, micro_batch_tokens=amounts.pass_tokens)
    model: Any = causal_lm(size)
    enable_packing(model)
    set_precision(model, precision)
    optimizer = adamw(model, spec.lr, spec)

    def work() -> float:
        for start in range(0, len(examples), amounts.texts):
            optimizer.zero_grad(set_to_none=True)
            backward(model, examples[start : start + amounts.texts], spec)
            clip_gradients(model, 1.0)
            optimizer.step()
        return sum(len(example.ids) for example in examples)

    return work


def peer(size: str, precision: str) -> Work:
    """TRL's trainer with its packing "wrapped": whole rows of 256 tokens."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    steps, rows = AMOUNTS[size].steps, AMOUNTS[size].text_rows
    trainer = SFTTrainer(
        model=causal_lm(size),
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(prefix="podium-peer-"),
            per_device_train_batch_size=rows,
            max_steps=steps,
            gradient_checkpointing=False,
            bf16=precision == "bf16",
            use_cpu=device().type == "cpu",
            packing=True,
            packing_strategy="wrapped",
            max_length=LONGEST,
            save_strategy="no",
            report_to="none",
            logging_steps=1000,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict({"input_ids": texts(2 * (steps + 1) * rows)}),
        processing_class=tokenizer(),
    )
    trainer.remove_callback(PrinterCallback)

    def work() -> float:
        trainer.train()
        return steps * rows * LONGEST

    return work
