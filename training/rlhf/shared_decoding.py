"""Decoding by all processes of a run together: each its share of the prompts, and every process gets all completions.

A row's randomness is its own, so that it matters to none which process decodes it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.rlhf import distributed
from training.rlhf.decode import Decoded, decode
from training.rlhf.sharding import put_together


def decode_together(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    *,
    samples: int,
    uniform: Tensor,
    batch_size: int,
    between_batches: Callable[[int], None] | None = None,
    **settings: Any,
) -> Decoded:
    """decode(), shared. `between_batches` is called equally often in all processes, with the rows done in all."""
    count = distributed.count()
    if count == 1:
        return decode(
            model,
            prompts,
            samples=samples,
            uniform=uniform,
            batch_size=batch_size,
            between_batches=between_batches,
            **settings,
        )
    # Round robin by length: each process gets long and short ones, and like lengths stay together.
    order = sorted(range(len(prompts)), key=lambda index: (-len(prompts[index]), index))
    shares = [order[number::count] for number in range(count)]
    mine = sorted(shares[distributed.rank()])
    rows = torch.tensor([index * samples + sample for index in mine for sample in range(samples)], dtype=torch.long)
    per_batch = max(1, batch_size // samples)
    batches_left = -(-len(shares[0]) // per_batch)

    def tell(done: int) -> None:
        nonlocal batches_left
        batches_left -= 1
        if between_batches is not None:
            between_batches(min(done * count, len(prompts) * samples))

    tokens = torch.zeros(uniform.shape, dtype=torch.long)
    logprobs = torch.zeros(uniform.shape)
    lengths, finished = (torch.zeros(len(uniform), dtype=torch.long) for _ in range(2))
    with put_together(model):
        if mine:
            part = decode(
                model,
                [prompts[index] for index in mine],
                samples=samples,
                uniform=uniform[rows],
                batch_size=batch_size,
                between_batches=tell,
                **settings,
            )
            longest = part.tokens.shape[1]
            tokens[rows] = settings["pad_token_id"]
            tokens[rows[:, None], torch.arange(longest)] = part.tokens
            logprobs[rows[:, None], torch.arange(longest)] = part.logprobs
            lengths[rows], finished[rows] = part.lengths, part.finished.long()
    while batches_left > 0:
        tell(len(rows))
    tokens, logprobs, lengths, finished = map(distributed.all_sum, (tokens, logprobs, lengths, finished))
    longest = int(lengths.max())
    return Decoded(tokens[:, :longest], lengths, logprobs[:, :longest], finished.bool())
