"""The rewards of a checkpoint by transformers alone, the same code for both trainers."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from training.rlhf.comparisons import RankedPrompt

ROWS = 16  # a batch


@torch.no_grad()
def plain_scores(checkpoint: Path, prompts: list[RankedPrompt]) -> list[list[float]]:
    """The logit of a sequence classifier for each completion of each prompt, up to a constant of the checkpoint."""
    model: Any = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.float32).eval()
    rows = [prompt.prompt + completion for prompt in prompts for completion in prompt.completions]
    order = sorted(range(len(rows)), key=lambda position: len(rows[position]))
    found = [0.0] * len(rows)
    for first in range(0, len(order), ROWS):
        part = order[first : first + ROWS]
        longest = max(len(rows[position]) for position in part)
        padded = [rows[position] + [model.config.pad_token_id] * (longest - len(rows[position])) for position in part]
        mask = [[1] * len(rows[position]) + [0] * (longest - len(rows[position])) for position in part]
        logits = model(input_ids=torch.tensor(padded), attention_mask=torch.tensor(mask)).logits[:, 0]
        for position, logit in zip(part, logits.tolist(), strict=True):
            found[position] = logit
    each = iter(found)
    return [[next(each) for _ in prompt.completions] for prompt in prompts]
