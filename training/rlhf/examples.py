"""Prompts with their completions as token rows, ready to be batched."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.rlhf.shares import my_micro_batches
from training.rlhf.trees import Packed, Tree, idle_pass, pack


class Example(NamedTuple):
    ids: list[int]  # prompt and completion, the end token included
    prompt_length: int

    @property
    def response_length(self) -> int:
        return len(self.ids) - self.prompt_length

    @property
    def prompt(self) -> list[int]:
        return self.ids[: self.prompt_length]

    @property
    def response(self) -> list[int]:
        return self.ids[self.prompt_length :]


class Rows(NamedTuple):
    """A micro-batch: examples of like length, packed."""

    packed: Packed
    positions: Tensor  # [B]; which of the examples these rows are


def join(prompts: Sequence[list[int]], completions: Sequence[list[int]]) -> list[Example]:
    return [Example(prompt + completion, len(prompt)) for prompt, completion in zip(prompts, completions, strict=True)]


def tree(examples: Sequence[Example]) -> Tree:
    """Examples of one prompt, which is computed once; one alone shares nothing, and is cheaper as a row."""
    first = examples[0]
    if len(examples) == 1:
        return Tree(first.ids, (), first.prompt_length)
    return Tree(first.prompt, [example.response for example in examples])


def batches(
    examples: Sequence[Example],
    max_tokens: int,
    device: torch.device,
    chosen: Sequence[int] | None = None,
    samples: int = 1,
    *,
    with_ends: bool = False,
) -> list[Rows]:
    """Cut this process's share of the examples into micro-batches of at most `max_tokens` tokens.

    Each `samples` examples in a row are of one prompt and stay together; `chosen` (default: all) names such prompts.
    The end of each is read only `with_ends`: for scores, but not to predict its tokens.
    """
    chosen = range(len(examples) // samples) if chosen is None else chosen
    trees = [tree(examples[prompt * samples : (prompt + 1) * samples]) for prompt in chosen]
    result = []
    for group in my_micro_batches([tree.tokens for tree in trees], max_tokens):
        positions = [chosen[index] * samples + sample for index in group for sample in range(samples)]
        packed = pack([trees[i] for i in group], device, with_ends=with_ends) if group else idle_pass(device)
        result.append(Rows(packed, torch.tensor(positions, dtype=torch.long, device=device)))
    return result
