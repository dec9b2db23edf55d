"""TRL's RewardTrainer on the same start, rows and schedule, as a process: `python -m benchmarks.preferences.peer TASK`.

Every comparison is a row of its own, tokenised beforehand. Optimizer, schedule and clipping are those of our recipe;
batches are of rows of like length, which is its fastest way, and gradient checkpointing is off.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from training.contract.specs import RewardModelSpec
from training.rlhf.causal_lm import load_tokenizer
from training.rlhf.comparisons import RankedPrompt, read_ranked_prompts
from training.rlhf.scalar_head import new_scalar_model


def pair_rows(prompts: list[RankedPrompt]) -> list[dict[str, Any]]:
    """All comparisons of all prompts: the better and the worse text, each after the prompt."""
    rows = []
    for prompt in prompts:
        for pair in prompt.pairs:
            chosen, rejected = (prompt.prompt + prompt.completions[position] for position in pair)
            length = max(len(chosen), len(rejected))
            rows.append({"chosen_ids": chosen, "rejected_ids": rejected, "length": length})
    return rows


def start(base: Path, tokenizer: Any, seed: int, folder: Path) -> Path:
    """The checkpoint that our recipe begins with under this seed, head included, as a plain classifier in `folder`."""
    torch.manual_seed(seed)
    model = new_scalar_model(base, tokenizer, torch.device("cpu"))
    model.classifier.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def main(task_file: Path) -> None:
    from datasets import Dataset
    from transformers import PrinterCallback, TrainerCallback
    from trl import RewardConfig, RewardTrainer

    task = json.loads(task_file.read_text())
    spec = RewardModelSpec()
    base, out = Path(task["base"]), Path(task["out"])
    tokenizer = load_tokenizer(base)
    rows = pair_rows(read_ranked_prompts(Path(task["rankings"]), tokenizer, spec.max_prompt_tokens, task["context"]))
    ends: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append((time.process_time(), time.time()))

    with tempfile.TemporaryDirectory(prefix="podium-peer-") as folder:
        trainer = RewardTrainer(
            model=str(start(base, tokenizer, task["seed"], Path(folder))),
            args=RewardConfig(
                output_dir=folder,
                per_device_train_batch_size=task["batch"],
                num_train_epochs=spec.epochs,
                learning_rate=task["lr"],
                lr_scheduler_type="cosine_with_min_lr",
                lr_scheduler_kwargs={"min_lr_rate": spec.lr_final_fraction},
                warmup_steps=spec.warmup_steps,
                adam_beta1=spec.adam_beta1,
                adam_beta2=spec.adam_beta2,
                adam_epsilon=spec.adam_eps,
                weight_decay=spec.weight_decay,
                max_grad_norm=spec.max_grad_norm,
                max_length=None,
                gradient_checkpointing=False,
                bf16=False,
                use_cpu=True,
                train_sampling_strategy="group_by_length",
                length_column_name="length",
                remove_unused_columns=False,
                dataloader_pin_memory=False,
                save_strategy="no",
                report_to="none",
                logging_steps=1000,
                disable_tqdm=True,
                seed=task["seed"],
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            callbacks=[Clock()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        trainer.model.save_pretrained(out / "checkpoint")
        tokenizer.save_pretrained(out / "checkpoint")
    (cpu0, wall0), (cpu1, wall1) = ends[0], ends[-1]
    times = {"cpu": cpu1 - cpu0, "wall": wall1 - wall0, "steps": len(ends), "comparisons": len(rows)}
    (out / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
