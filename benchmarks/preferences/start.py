"""What both trainers start from where novels alone are too far from dialogues: the base model after SFT on the answers
that were preferred, by our own recipe, once. It is a start of reward models and nothing else.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.preferences.base import CONTEXT
from benchmarks.preferences.folders import Root, finish
from benchmarks.preferences.sources import Preferences, Ranked, counter_of_tokens, demonstration_rows, fitted
from training.contract.status import read_status
from training.rlhf.causal_lm import load_tokenizer

SFT: dict[str, Any] = {
    "threads": 1,
    "epochs": 2,
    "lr": 1e-3,
    "batch_size": 16,
    "residual_dropout": 0.0,
    "max_prompt_tokens": CONTEXT,
    "precision": "bf16",
}


def may_be_seen(dialogues: Preferences, judged_by: Preferences) -> list[Ranked]:
    """The training rows of `dialogues` that no row held out in `judged_by` begins like."""
    held_out = {row.family for row in judged_by.test}
    return [row for row in dialogues.train if row.family not in held_out]


def fine_tuned(root: Root, base: Path, rows: list[Ranked], max_prompt: int, max_completion: int) -> Path:
    """The run folder of the base model after SFT on the best completion of each row that fits."""
    tokens = counter_of_tokens(load_tokenizer(base / "checkpoint"))
    fit = fitted(rows, tokens, max_prompt, max_completion, Counter())
    demonstrations = root.dataset("demonstrations", demonstration_rows(fit, "train"))
    folder = root.run("sft", SFT, {"demonstrations": demonstrations}, {"policy": base})
    status = read_status(folder / "status.json")
    if status is None or status["state"] != "done":
        taken = finish(folder).training
        print(f"  SFT in {folder}: {taken.cpu:.0f} s of CPU ({taken.wall:.0f} s)", flush=True)
    return folder
