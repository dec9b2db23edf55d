"""Prompts with their completions as token rows, ready to be batched."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.rlhf.packed import Packed, Tree, pack
from training.rlhf.packing import micro_batches


class Example(NamedTuple):
    ids: list[int]  # prompt and completion, the end token included
    prompt_length: int

    @property
    def response_length(self) -> int:
        return len(self.ids) - self.prompt_length


class Rows(NamedTuple):
    """A micro-batch: examples of like length, packed."""

    packed: Packed
    positions: Tensor  # [B]; which of the examples these rows are


def join(prompts: Sequence[list[int]], completions: Sequence[list[int]]) -> list[Example]:
    return [Example(prompt + completion, len(prompt)) for prompt, completion in zip(prompts, completions, strict=True)]


def batches(
    examples: Sequence[Example], max_tokens: int, device: torch.device, chosen: Sequence[int] | None = None
) -> list[Rows]:
    """Cut the `chosen` examples (default: all) into micro-batches of at most `max_tokens` tokens."""
    chosen = range(len(examples)) if chosen is None else chosen
    result = []
    for group in micro_batches([len(examples[position].ids) for position in chosen], max_tokens):
        positions = [chosen[index] for index in group]
        trees = [Tree(examples[position].ids, (), examples[position].prompt_length) for position in positions]
        result.append(Rows(pack(trees, device), torch.tensor(positions, device=device)))
    return result
