"""A whole batch as one row of tokens, without padding, where completions share their prompt.

A *tree* is a stem and its branches: a prompt and the completions that were sampled for it. The stem is there once,
every branch attends to the stem and to itself, and positions go on from the stem in each branch, so that every token
has exactly the hidden state it would have in a row of its own. A row that shares nothing is a stem without branches.

With a prompt of P tokens and K completions of C each, a forward pass reads P + K C tokens in place of K (P + C), and
the linear layers, where the time goes, never see a padding token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from training.rlhf.row_attention import Row


class Tree(NamedTuple):
    """A prompt and its completions; without branches, one row, of which `stem[response_start:]` is the response."""

    stem: list[int]
    branches: Sequence[list[int]] = ()
    response_start: int = 0

    @property
    def tokens(self) -> int:
        return len(self.stem) + sum(map(len, self.branches))


@dataclass(frozen=True)
class Grid:
    """How segments of the flat row stand in a padded grid for attention.

    Both ways go by index_select, whose gradient is added row by row; that of plain indexing is several times as slow.
    """

    index: Tensor  # long [segments, longest]; flat position of each entry, 0 in the padding
    inside: Tensor  # bool [segments, longest]
    where: Tensor  # long [tokens]; entry of the flattened grid that each token stands at
    sizes: list[int]  # [segments]; tokens of each

    def spread(self, flat: Tensor) -> Tensor:
        """[N, H, D] -> [segments, longest, H, D]"""
        return flat.index_select(0, self.index.flatten()).unflatten(0, self.index.shape)

    def collect(self, grid: Tensor) -> Tensor:
        """[segments, longest, H, D] -> [tokens, H, D]"""
        return grid.flatten(0, 1).index_select(0, self.where)


class Layout(NamedTuple):
    """G stems of at most P tokens, each with at most K branches of at most C tokens."""

    stems: Grid  # G segments
    branches: Grid | None  # G * K segments; those that a tree lacks are empty

    def rows(self) -> list[Row]:
        """All segments in the order of the flat row, each branch with the stem that it continues."""
        sizes = self.stems.sizes
        rows = [Row(end - size, size) for end, size in zip(accumulate(sizes), sizes, strict=True)]
        if self.branches is None:
            return rows
        start, most = sum(sizes), len(self.branches.sizes) // len(sizes)
        for number, size in enumerate(self.branches.sizes):
            stem = rows[number // most]
            rows.append(Row(start, size, stem.start, stem.size))
            start += size
        return rows


class Packed(NamedTuple):
    """N tokens: all stems, then all branches. Rows are the branches, or the stem of a tree that has none."""

    ids: Tensor  # long [N]
    positions: Tensor  # long [N]
    layout: Layout
    ends: Tensor  # long [rows]; flat position of the last token of each row; [0] where those were left out
    predictors: Tensor  # long [R]; flat position whose state predicts the response token, row by row
    targets: Tensor  # long [R]; the response tokens
    lengths: list[int]  # [rows]; response tokens of each


def pack(trees: Sequence[Tree], device: torch.device | str = "cpu", *, with_ends: bool = True) -> Packed:
    """Lay the trees out as one row. Rows keep the order of the trees, and of the branches within each.

    Without ends, the last token of each row is a target and not read: what follows it is nobody's question.
    """
    kept = slice(None) if with_ends else slice(-1)
    stems = [tree.stem if tree.branches else tree.stem[kept] for tree in trees]
    stem_start = [0]
    ids: list[int] = []
    positions: list[int] = []
    for stem in stems:
        ids.extend(stem)
        positions.extend(range(len(stem)))
        stem_start.append(len(ids))
    stem_tokens = len(ids)
    ends: list[int] = []
    predictors: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    sizes: list[int] = []
    most = max(len(tree.branches) for tree in trees)
    for tree, start in zip(trees, stem_start, strict=False):
        last = start + len(tree.stem) - 1
        if not tree.branches:
            ends.append(last)
            predictors.extend(range(start + tree.response_start - 1, last))
            targets.extend(tree.stem[tree.response_start :])
            lengths.append(len(tree.stem) - tree.response_start)
        for branch in tree.branches:
            first = len(ids)
            ids.extend(branch[kept])
            positions.extend(range(len(tree.stem), len(tree.stem) + len(branch[kept])))
            sizes.append(len(branch[kept]))
            ends.append(len(ids) - 1)
            predictors.extend([last, *range(first, first + len(branch) - 1)])
            targets.extend(branch)
            lengths.append(len(branch))
        sizes.extend([0] * (most - len(tree.branches)))

    def tensor(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    layout = Layout(
        _grid(list(map(len, stems)), 0, device),
        _grid(sizes, stem_tokens, device) if most else None,
    )
    read_ends = tensor(ends if with_ends else [])
    return Packed(tensor(ids), tensor(positions), layout, read_ends, tensor(predictors), tensor(targets), lengths)


def idle_pass(device: torch.device | str) -> Packed:
    """One token and no rows: a pass whose losses are sums over nothing, for a process that has nothing to compute."""
    one = pack([Tree([0])], device)
    return one._replace(ends=one.ends[:0], predictors=one.predictors[:0], targets=one.targets[:0], lengths=[])


def _grid(sizes: list[int], start: int, device: torch.device | str) -> Grid:
    lengths = torch.tensor(sizes, device=device)
    column = torch.arange(max(1, max(sizes)), device=device)
    inside = column < lengths[:, None]
    first = lengths.cumsum(0) - lengths + start
    index = (first[:, None] + column).masked_fill(~inside, 0)
    return Grid(index, inside, inside.flatten().nonzero().squeeze(1), sizes)
