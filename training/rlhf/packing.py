"""Rows of tokens without waste: packed blocks for pretraining text, buckets by length for everything else."""

from collections.abc import Sequence

import torch
from torch import Tensor

from training.contract.run_dir import RunError


def pack_blocks(documents: Sequence[Sequence[int]], block_size: int, limit: int | None = None) -> Tensor:
    """Join documents, each with its end token, and cut the stream into rows: [N, block_size], no padding.

    The incomplete last row is dropped. At most `limit` rows. Raises RunError where there is not one whole row.
    """
    wanted = None if limit is None else limit * block_size
    stream: list[int] = []
    for document in documents:
        stream.extend(document)
        if wanted is not None and len(stream) >= wanted:
            break
    rows = len(stream) // block_size
    if rows == 0:
        raise RunError(f"The texts have {len(stream)} tokens, less than one row of {block_size}.")
    rows = rows if limit is None else min(rows, limit)
    return torch.tensor(stream[: rows * block_size], dtype=torch.long).view(rows, block_size)


def pad_rows(rows: Sequence[Sequence[int]], pad_token_id: int) -> Tensor:
    """Right-padded ids: [len(rows), longest].

    Attention is causal and padding stands to the right, so no real position ever sees it: no mask is needed, and
    what stands in the padding does not matter.
    """
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[pad_token_id] * (longest - len(row))] for row in rows], dtype=torch.long)


def micro_batches(tokens: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Cut positions 0..n-1, of tokens[position] tokens each, into groups of like size and at most `max_tokens` in all.

    Largest first, so that a batch that does not fit in memory fails at once. A position larger than `max_tokens` stands
    alone. The groups depend on the sizes only: the same batch is always cut the same way.
    """
    groups: list[list[int]] = []
    size = 0  # tokens of the last group
    for position in sorted(range(len(tokens)), key=lambda index: (-tokens[index], index)):
        if groups and size + tokens[position] <= max_tokens:
            groups[-1].append(position)
            size += tokens[position]
        else:
            groups.append([position])
            size = tokens[position]
    return groups


def shuffled(count: int, seed: int, epoch: int) -> list[int]:
    """The order of `count` rows in this epoch: a function of seed and epoch, so that a resume need not store it."""
    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    return torch.randperm(count, generator=generator).tolist()


def endless_order(count: int, seed: int, start: int, length: int) -> list[int]:
    """Positions `start` to `start + length` of the endless sequence of shuffled epochs over `count` rows."""
    order: list[int] = []
    epoch, offset = divmod(start, count)
    while len(order) < length:
        order.extend(shuffled(count, seed, epoch)[offset : offset + length - len(order)])
        epoch, offset = epoch + 1, 0
    return order
