"""Causal attention of rows of different lengths, with its gradient written out: for a CPU.

A CPU computes one row after the other anyway, so padding saves it nothing but calls. Long rows are computed in *blocks*
of queries, each multiplied with the keys up to its own end only, so that of what causality forbids no more than the
corners on the diagonal are computed. Short ones of like length are computed together, as a *bundle* that is padded to
the longest of them. The weights are kept for the gradient in place of being computed again. A row can see a *stem*
before its own tokens: those of its prompt, another row, whose keys are copied for it and for the time of a product.

    P = softmax(Q K^T),  O = P V;   dV = P^T dO,  dP = dO V^T,  dS = P (dP - rowsum(P dP)),  dQ = dS K,  dK = dS^T Q
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

BLOCK = 96  # queries; of 64, 96, 128 and 256 the best or next to it in both precisions (lab log)
# Of a bundle: tokens of a row, and scores of all heads together (lab log).
LONGEST = {torch.float32: 32, torch.bfloat16: 128}
MOST_SCORES = {torch.float32: 1 << 16, torch.bfloat16: 1 << 19}
MOST_PADDING = 1.4  # times the real tokens


class Row(NamedTuple):
    """Tokens that stand one behind the other, and the row that they continue, if any."""

    start: int
    size: int
    stem_start: int = 0
    stem: int = 0


class _Sums(NamedTuple):
    """A gradient of keys or values. A stem gets the sum over its rows, which bfloat16 would round at each."""

    own: Tensor  # [H, N + 1, D]
    of_stems: Tensor  # at least float32 [H, end of the last stem, D]

    def total(self) -> Tensor:
        """[H, N, D]"""
        self.own[:, : self.of_stems.shape[1]] += self.of_stems
        return self.own[:, :-1]


@dataclass(frozen=True)
class _Block:
    """A row's queries from `start` to `end`, and all that they see."""

    row: Row
    start: int
    end: int

    def queries(self, tokens: Tensor) -> Tensor:
        """[H, N, D] -> [H, C, D]"""
        return tokens[:, self.start : self.end]

    gradients = queries

    def seen(self, keys: Tensor) -> Tensor:
        """[H, N, D] -> [H, stem + own, D]"""
        row = self.row
        own = keys[:, row.start : self.end]
        return torch.cat([keys[:, row.stem_start : row.stem_start + row.stem], own], 1) if row.stem else own

    def put(self, out: Tensor, left: Tensor, right: Tensor) -> None:
        """out[queries] = left right: [H, N + 1, D], [H, C, stem + own], [H, stem + own, D]"""
        torch.bmm(left, right, out=out[:, self.start : self.end])

    def add(self, sums: _Sums, left: Tensor, right: Tensor) -> None:
        """sums[seen] += left^T right: [H, C, stem + own], [H, C, D]"""
        row, transposed = self.row, left.transpose(1, 2)
        own = sums.own[:, row.start : self.end]
        if not row.stem:
            own.baddbmm_(transposed, right)
            return
        product = torch.bmm(transposed, right)
        sums.of_stems[:, row.stem_start : row.stem_start + row.stem] += product[:, : row.stem]
        own += product[:, row.stem :]


class _Bundle:
    """B rows with one stem, padded to C tokens, and all that they see.

    Padding stands to the right, where no real query looks: it repeats a row's first token, and what comes of it is put
    into a row N of its own, which nobody reads.
    """

    def __init__(self, rows: Sequence[Row], tokens: int) -> None:
        self.rows, first = len(rows), rows[0]
        self.stem = slice(first.stem_start, first.stem_start + first.stem)
        column = torch.arange(max(row.size for row in rows))
        starts = torch.tensor([[row.start] for row in rows])
        self.inside = column < torch.tensor([[row.size] for row in rows])  # [B, C]
        self.own = torch.where(self.inside, starts + column, starts)
        self.keys = torch.cat([torch.arange(self.stem.start, self.stem.stop).expand(self.rows, -1), self.own], 1)
        self.where = torch.where(self.inside, self.own, tokens).flatten()

    def queries(self, tokens: Tensor) -> Tensor:
        """[H, N, D] -> [B H, C, D]"""
        return _gathered(tokens, self.own)

    def gradients(self, tokens: Tensor) -> Tensor:
        """As `queries`, and 0 in the padding."""
        found = _gathered(tokens, self.own)
        found.unflatten(0, (self.rows, -1)).masked_fill_(~self.inside[:, None, :, None], 0)
        return found

    def seen(self, keys: Tensor) -> Tensor:
        """[H, N, D] -> [B H, stem + C, D]"""
        return _gathered(keys, self.keys)

    def put(self, out: Tensor, left: Tensor, right: Tensor) -> None:
        """out[queries] = left right: [H, N + 1, D], [B H, C, stem + C], [B H, stem + C, D]"""
        out.transpose(0, 1).index_copy_(0, self.where, self._by_row(left, right).flatten(0, 1))

    def add(self, sums: _Sums, left: Tensor, right: Tensor) -> None:
        """sums[seen] += left^T right: [B H, C, stem + C], [B H, C, D]"""
        product = self._by_row(left.transpose(1, 2), right)
        stem = self.stem.stop - self.stem.start
        sums.own.transpose(0, 1).index_copy_(0, self.where, product[:, stem:].flatten(0, 1))
        if stem:
            of_stem = sums.of_stems.transpose(0, 1)[self.stem]
            of_stem += product[:, :stem].sum(0, dtype=of_stem.dtype)

    def _by_row(self, left: Tensor, right: Tensor) -> Tensor:
        """The product, [B H, n, D], as [B, n, H, D]."""
        return torch.bmm(left, right).unflatten(0, (self.rows, -1)).transpose(1, 2)


class _Pieces(NamedTuple):
    all: list[_Block | _Bundle]
    end_of_stems: int


def attend(query: Tensor, key: Tensor, value: Tensor, *, rows: Sequence[Row]) -> Tensor:
    """Each row on its stem and on itself; queries are scaled already: all [H, N, D], in rows -> [N, H, D]."""
    heads, tokens, _ = query.shape
    longest, most_scores = LONGEST.get(query.dtype, 0), MOST_SCORES.get(query.dtype, 0) // heads
    out: Tensor = _Rows.apply(query, key, value, _pieces(tuple(rows), tokens, longest, most_scores))
    return out.transpose(0, 1)


def future(length: int, like: Tensor) -> Tensor:
    """-inf above the diagonal, in the dtype and on the device of `like`: [length, length]."""
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, pieces: _Pieces) -> Tensor:
        out = _empty(query)
        unseen = future(max(BLOCK, LONGEST.get(query.dtype, 0)), query)
        kept = []
        with torch.autocast("cpu", enabled=False):  # it would have the softmax of bfloat16 in float32
            for piece in pieces.all:
                queries = piece.queries(query)
                size = queries.shape[1]
                scores = torch.bmm(queries, _transposed(piece.seen(key)))
                scores[:, :, scores.shape[-1] - size :] += unseen[:size, :size]
                weights = scores.softmax(-1)
                piece.put(out, weights, piece.seen(value))
                kept.append(weights)
        ctx.pieces = pieces
        ctx.save_for_backward(query, key, value, *kept)
        return out[:, :-1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # of the output
        query, key, value, *kept = ctx.saved_tensors
        to_query = _empty(query)
        exact = torch.promote_types(key.dtype, torch.float32)
        of_stems = key.new_zeros(2, len(key), ctx.pieces.end_of_stems, key.shape[-1], dtype=exact)
        to_key, to_value = (_Sums(_empty(key).zero_(), part) for part in of_stems)
        for piece, weights in zip(ctx.pieces.all, kept, strict=True):
            grad = piece.gradients(gradients[0])
            to_weights = torch.bmm(grad, _transposed(piece.seen(value)))
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
            piece.put(to_query, to_scores, piece.seen(key))
            piece.add(to_key, to_scores, piece.queries(query))
            piece.add(to_value, weights, grad)
        return to_query[:, :-1], to_key.total(), to_value.total(), None


def _empty(like: Tensor) -> Tensor:
    """Room for one token more, the heads of each beside each other in memory: [H, N, D] -> [H, N + 1, D]."""
    heads, tokens, width = like.shape
    return like.new_empty(tokens + 1, heads, width).transpose(0, 1)


def _gathered(tokens: Tensor, index: Tensor) -> Tensor:
    """[H, N, D], [B, n] -> [B H, n, D]"""
    rows = tokens.transpose(0, 1).index_select(0, index.flatten())
    return rows.unflatten(0, index.shape).transpose(1, 2).flatten(0, 1)


def _transposed(part: Tensor) -> Tensor:
    """[H, n, D] -> [H, D, n]; a product in bfloat16 reads that as it is only if it lies in one piece."""
    return (part.contiguous() if part.dtype == torch.bfloat16 else part).transpose(1, 2)


@lru_cache(maxsize=16)  # every layer of a pass asks for the same
def _pieces(rows: tuple[Row, ...], tokens: int, longest: int, most_scores: int) -> _Pieces:
    """What is computed together; `most_scores` of a bundle and head."""
    pieces: list[_Block | _Bundle] = []
    for _, of_stem in groupby(rows, lambda row: (row.stem_start, row.stem)):
        by_size = sorted(of_stem, key=lambda row: row.size)
        short = [row for row in by_size if 0 < row.size <= longest]
        pieces.extend(_Bundle(bundle, tokens) for bundle in _bundles(short, most_scores))
        pieces.extend(block for row in by_size if row.size > longest for block in _blocks(row))
    return _Pieces(pieces, max((row.stem_start + row.stem for row in rows if row.stem), default=0))


def _bundles(by_size: Sequence[Row], most_scores: int) -> Iterator[list[Row]]:
    bundle: list[Row] = []
    for row in by_size:
        padded = row.size * (len(bundle) + 1)
        real = sum(one.size for one in bundle) + row.size
        if bundle and (padded > MOST_PADDING * real or padded * (row.stem + row.size) > most_scores):
            yield bundle
            bundle = []
        bundle.append(row)
    if bundle:
        yield bundle


def _blocks(row: Row) -> Iterator[_Block]:
    for start in range(row.start, row.start + row.size, BLOCK):
        yield _Block(row, start, min(start + BLOCK, row.start + row.size))
