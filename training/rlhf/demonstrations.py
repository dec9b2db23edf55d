"""Demonstrations as rows of tokens, and a model's loss on them."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from transformers import PreTrainedModel

from training.contract.rows import read_rows
from training.rlhf import distributed
from training.rlhf.causal_lm import context_length, response_logits
from training.rlhf.examples import Example, batches, join
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_completions, encode_prompts


def read_demonstrations(path: Path, tokenizer: Any, model: PreTrainedModel, max_prompt_tokens: int) -> list[Example]:
    """The file's demonstrations in its order. Raises RunError for one that is too long, RowError for a broken line."""
    rows = read_rows(path, "demonstrations")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    check_prompt_lengths(path.name, prompts, max_prompt_tokens)
    examples = join(prompts, encode_completions(tokenizer, [row["completion"] for row in rows]))
    check_context(path.name, [len(example.ids) for example in examples], context_length(model))
    return examples


@torch.no_grad()
def completion_loss(model: PreTrainedModel, examples: list[Example], max_tokens: int) -> float:
    """Mean loss in nats per completion token; a model in training mode drops what it drops in training."""
    total, tokens = 0.0, 0.0
    for rows in batches(examples, max_tokens, model.device):
        logits = response_logits(model, rows.packed)
        total += F.cross_entropy(logits, rows.packed.targets, reduction="sum").item()
        tokens += len(rows.packed.targets)
    total, tokens = distributed.sum_numbers(total, tokens)
    return total / tokens
