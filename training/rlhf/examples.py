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
    index: list[int]  # which of the examples these rows are


def join(prompts: Sequence[list[int]], completions: Sequence[list[int]]) -> list[Example]:
    return [Example(prompt + completion, len(prompt)) for prompt, completion in zip(prompts, completions, strict=True)]


def batches(examples: Sequence[Example], max_tokens: int, pad_token_id: int, device: torch.device) -> list[Rows]:
    """Cut examples into micro-batches of like length, at most `max_tokens` padded tokens each."""
    result = []
    for index in micro_batches([len(example.ids) for example in examples], max_tokens):
        chosen = [examples[position] for position in index]
        ids = pad_rows([example.ids for example in chosen], pad_token_id)
        prompt_lengths = torch.tensor([example.prompt_length for example in chosen])
        response_lengths = torch.tensor([example.response_length for example in chosen])
        mask = response_mask(prompt_lengths, response_lengths, ids.shape[1])
        result.append(Rows(ids.to(device), mask.to(device), index))
    return result
