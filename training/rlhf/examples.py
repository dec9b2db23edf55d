"""Prompts with their completions as token rows, ready to be batched."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.rlhf.causal_lm import response_mask
from training.rlhf.packing import micro_batches, pad_rows


class Example(NamedTuple):
    ids: list[int]  # prompt and completion, the end token included
    prompt_length: int

    @property
    def response_length(self) -> int:
        return len(self.ids) - self.prompt_length


class Rows(NamedTuple):
    """A micro-batch: B rows of like length, right-padded to T."""

    ids: Tensor  # [B, T]
    mask: Tensor  # bool [B, T-1]; positions that predict a token of the completion
    positions: Tensor  # [B]; which of the examples these rows are


def join(prompts: Sequence[list[int]], completions: Sequence[list[int]]) -> list[Example]:
    return [Example(prompt + completion, len(prompt)) for prompt, completion in zip(prompts, completions, strict=True)]


def batches(
    examples: Sequence[Example],
    max_tokens: int,
    pad_token_id: int,
    device: torch.device,
    chosen: Sequence[int] | None = None,
) -> list[Rows]:
    """Cut the `chosen` examples (default: all) into micro-batches of at most `max_tokens` tokens, padding included."""
    chosen = range(len(examples)) if chosen is None else chosen
    result = []
    for group in micro_batches([len(examples[position].ids) for position in chosen], max_tokens):
        positions = [chosen[index] for index in group]
        ids = pad_rows([examples[position].ids for position in positions], pad_token_id)
        prompt_lengths = torch.tensor([examples[position].prompt_length for position in positions])
        response_lengths = torch.tensor([examples[position].response_length for position in positions])
        mask = response_mask(prompt_lengths, response_lengths, ids.shape[1])
        result.append(Rows(ids.to(device), mask.to(device), torch.tensor(positions, device=device)))
    return result
