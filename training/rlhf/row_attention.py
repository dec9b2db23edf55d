"""Causal attention of rows of different lengths, one after the other, with its gradient written out: for a CPU.

A CPU computes one row after the other anyway, so padding saves it nothing. Queries come in blocks, and each block is
multiplied with the keys up to its own end only, so that of what causality forbids no more than the corners on the
diagonal are computed. The weights are kept for the gradient in place of being computed again.

    P = softmax(Q K^T),  O = P V;   dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(P dP)),  dQ = dS K,  dK = dS^T Q
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

BLOCK = 96  # queries; of 64, 96, 128 and 256 the best or next to it in both precisions (lab log)


def attend(query: Tensor, key: Tensor, value: Tensor, *, sizes: Sequence[int]) -> Tensor:
    """Each row of tokens on its own; queries are scaled already: all [H, N, D], `sizes` sum to N -> [N, H, D]."""
    out: Tensor = _Rows.apply(query, key, value, sizes)
    return out.transpose(0, 1)


def future(length: int, like: Tensor) -> Tensor:
    """-inf above the diagonal, in the dtype and on the device of `like`: [length, length]."""
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, sizes: Sequence[int]) -> Tensor:
        heads, tokens, width = query.shape
        out = query.new_empty(tokens, heads, width).transpose(0, 1)
        unseen = future(BLOCK, query)
        kept = []
        with torch.autocast("cpu", enabled=False):  # it would have the softmax of bfloat16 in float32
            for first, start, end, _ in _blocks(sizes):
                scores = torch.bmm(query[:, start:end], _transposed(key[:, first:end]))
                scores[:, :, start - first :] += unseen[: end - start, : end - start]
                weights = scores.softmax(-1)
                torch.bmm(weights, value[:, first:end], out=out[:, start:end])
                kept.append(weights)
        ctx.sizes = sizes
        ctx.save_for_backward(query, key, value, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # of the output
        query, key, value, *kept = ctx.saved_tensors
        grad = gradients[0]
        to_query, to_key, to_value = (torch.empty_like(tensor) for tensor in (query, key, value))
        for (first, start, end, is_last), weights in zip(_blocks(ctx.sizes), kept, strict=True):
            to_weights = torch.bmm(grad[:, start:end], _transposed(value[:, first:end]))
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            torch.bmm(to_scores, key[:, first:end], out=to_query[:, start:end])
            beta = 0 if is_last else 1  # a row's last block comes first, and meets all its keys
            to_key[:, first:end].baddbmm_(to_scores.transpose(1, 2), query[:, start:end], beta=beta)
            to_value[:, first:end].baddbmm_(weights.transpose(1, 2), grad[:, start:end], beta=beta)
        return to_query, to_key, to_value, None


def _transposed(part: Tensor) -> Tensor:
    """[H, n, D] -> [H, D, n]; a product in bfloat16 reads that as it is only if it lies in one piece."""
    return (part.contiguous() if part.dtype == torch.bfloat16 else part).transpose(1, 2)


def _blocks(sizes: Sequence[int]) -> Iterator[tuple[int, int, int, bool]]:
    """Where a row begins, where a block of its queries begins and ends, and whether the row ends there."""
    first = 0
    for size in sizes:
        for start in reversed(range(first, first + size, BLOCK)):
            end = min(start + BLOCK, first + size)
            yield first, start, end, end == first + size
        first += size
