"""Causal attention of rows of different lengths, one after the other, with its gradient written out: for a CPU.

A CPU computes one row after the other anyway, so padding saves it nothing. Queries come in blocks, and each block is
multiplied with the keys up to its own end only, so that of what causality forbids no more than the corners on the
diagonal are computed. The weights are kept for the gradient in place of being computed again. A row can see a *stem*
before its own tokens: those of its prompt, another row, whose keys are copied for it alone and for the time of a block.

    P = softmax(Q K^T),  O = P V;   dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(P dP)),  dQ = dS K,  dK = dS^T Q
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

BLOCK = 96  # queries; of 64, 96, 128 and 256 the best or next to it in both precisions (lab log)


class Row(NamedTuple):
    """Tokens that stand one behind the other, and the row that they continue, if any."""

    start: int
    size: int
    stem_start: int = 0
    stem: int = 0


class _Block(NamedTuple):
    row: Row
    start: int
    end: int

    def seen(self, keys: Tensor) -> Tensor:
        """What the last query of the block sees: [H, N, D] -> [H, stem + own, D]"""
        row = self.row
        own = keys[:, row.start : self.end]
        return torch.cat([keys[:, row.stem_start : row.stem_start + row.stem], own], 1) if row.stem else own

    def add(self, sums: Tensor, left: Tensor, right: Tensor) -> None:
        """sums[what it sees] += left^T right: [H, N, D], [H, C, stem + own], [H, C, D]"""
        row, transposed = self.row, left.transpose(1, 2)
        own = sums[:, row.start : self.end]
        if not row.stem and sums.dtype == right.dtype:
            own.baddbmm_(transposed, right)
            return
        product = torch.bmm(transposed, right)
        sums[:, row.stem_start : row.stem_start + row.stem] += product[:, : row.stem]
        own += product[:, row.stem :]


def attend(query: Tensor, key: Tensor, value: Tensor, *, rows: Sequence[Row]) -> Tensor:
    """Each row on its stem and on itself; queries are scaled already: all [H, N, D], in rows -> [N, H, D]."""
    out: Tensor = _Rows.apply(query, key, value, rows)
    return out.transpose(0, 1)


def future(length: int, like: Tensor) -> Tensor:
    """-inf above the diagonal, in the dtype and on the device of `like`: [length, length]."""
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, rows: Sequence[Row]) -> Tensor:
        heads, tokens, width = query.shape
        out = query.new_empty(tokens, heads, width).transpose(0, 1)
        unseen = future(BLOCK, query)
        kept = []
        with torch.autocast("cpu", enabled=False):  # it would have the softmax of bfloat16 in float32
            for block in _blocks(rows):
                queries = query[:, block.start : block.end]
                size = queries.shape[1]
                scores = torch.bmm(queries, _transposed(block.seen(key)))
                scores[:, :, scores.shape[-1] - size :] += unseen[:size, :size]
                weights = scores.softmax(-1)
                torch.bmm(weights, block.seen(value), out=out[:, block.start : block.end])
                kept.append(weights)
        ctx.rows = rows
        ctx.save_for_backward(query, key, value, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # of the output
        query, key, value, *kept = ctx.saved_tensors
        # A stem's keys get the sum over its rows, which bfloat16 would round at each.
        exact = torch.float32 if key.dtype == torch.bfloat16 and any(row.stem for row in ctx.rows) else key.dtype
        to_query = torch.empty_like(query)
        to_key, to_value = (torch.zeros_like(tensor, dtype=exact) for tensor in (key, value))
        for block, weights in zip(_blocks(ctx.rows), kept, strict=True):
            grad = gradients[0][:, block.start : block.end]
            to_weights = torch.bmm(grad, _transposed(block.seen(value)))
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            torch.bmm(to_scores, block.seen(key), out=to_query[:, block.start : block.end])
            block.add(to_key, to_scores, query[:, block.start : block.end])
            block.add(to_value, weights, grad)
        return to_query, to_key.to(key.dtype), to_value.to(value.dtype), None


def _transposed(part: Tensor) -> Tensor:
    """[H, n, D] -> [H, D, n]; a product in bfloat16 reads that as it is only if it lies in one piece."""
    return (part.contiguous() if part.dtype == torch.bfloat16 else part).transpose(1, 2)


def _blocks(rows: Sequence[Row]) -> Iterator[_Block]:
    for row in rows:
        for start in range(row.start, row.start + row.size, BLOCK):
            yield _Block(row, start, min(start + BLOCK, row.start + row.size))
