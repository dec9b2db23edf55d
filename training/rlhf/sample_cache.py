"""The keys and values of sampling: each prompt's once, and after them each sample's own.

The queries of a prompt's K samples meet the prompt's keys in one matrix product; each row meets what it has sampled
itself in a product of its own. Own tokens are kept in blocks of one length rather than in one long buffer: the products
are fastest over tensors without gaps, and nothing has to be copied when a row grows. All rows write at the same offset,
whenever they came: what a block has from before a row came is hidden from it.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCK = 16  # own tokens in a block
ALIGNMENT = 32  # columns; a softmax in bfloat16 of a multiple of so many takes a CPU half the time (lab log)


class SampleCache:
    """Of all layers. G prompts of at most P tokens; B rows, each a sample of one prompt."""

    def __init__(self, prompt_of_row: Tensor) -> None:
        self.prompt_of_row = prompt_of_row  # long [B], ascending
        self.length = 0  # own tokens of the oldest row so far
        self.start = torch.zeros_like(prompt_of_row)  # [B]; `length` when the row came
        self.unseen: Tensor  # [G, 1, 1, P]; -inf in the padding, else 0
        self.unseen_own: list[
            Tensor | None
        ] = []  # of each block: [B, 1, BLOCK], -inf before the row came; None: all see it
        self.stems: list[tuple[Tensor, Tensor]] = []  # per layer: keys, values [G, H, P, D]
        self.blocks: list[list[tuple[Tensor, Tensor]]] = []  # per layer: keys, values [B, H, BLOCK, D] of each block
        self._place_rows()

    def _place_rows(self) -> None:
        """Where each row stands in the grid [G, K], K the most rows of one prompt."""
        counts = torch.bincount(self.prompt_of_row)
        first = counts.cumsum(0) - counts
        rank = torch.arange(len(self.prompt_of_row), device=counts.device) - first[self.prompt_of_row]
        self.prompts, self.slots = len(counts), int(counts.max())
        self.place = self.prompt_of_row * self.slots + rank  # [B]
        self.is_full = len(self.place) == self.prompts * self.slots

    def keep_stem(self, keys: Tensor, values: Tensor, inside: Tensor) -> None:
        """One more layer of the prompts' pass: [G, H, P, D], bool [G, P]."""
        if not self.stems:
            unseen = torch.zeros(inside.shape, dtype=keys.dtype, device=keys.device)
            self.unseen = unseen.masked_fill_(~inside, float("-inf"))[:, None, None]
        self.stems.append((keys.contiguous(), values.contiguous()))
        self.blocks.append([])

    def attend(self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """One new token a row: query (scaled), key, value [B, H, 1, D] -> [B, 1, H, D]."""
        layer: Any = module.layer_idx
        blocks = self._write(layer, key, value)
        stem_keys, stem_values = self.stems[layer]
        on_stem = self._by_row(self._laid_out(query) @ stem_keys.transpose(-1, -2) + self.unseen)  # [B, H, P]
        on_own = [(query @ keys.transpose(-1, -2))[:, :, 0] for keys, _ in blocks]  # [B, H, BLOCK] each
        on_own = [own if hidden is None else own + hidden for own, hidden in zip(on_own, self.unseen_own, strict=True)]
        on_own[-1][..., self.length % BLOCK + 1 :] = float("-inf")
        widths = [stem_keys.shape[2], *[BLOCK] * len(blocks)]
        widths.append(-sum(widths) % ALIGNMENT)
        nothing = on_stem.new_full((), float("-inf")).expand(*on_stem.shape[:2], widths[-1])
        weights = torch.cat([on_stem, *on_own, nothing], -1).softmax(-1)
        on_stem, *on_own, _ = weights.split(widths, -1)
        out = self._by_row(self._laid_out(on_stem[:, :, None]) @ stem_values)  # [B, H, D]
        rows = out.flatten(0, 1)[:, None]
        for part, (_, values) in zip(on_own, blocks, strict=True):
            rows = torch.baddbmm(rows, part.flatten(0, 1)[:, None], values.flatten(0, 1))
        return rows.view(len(out), 1, *out.shape[1:])

    def _write(self, layer: int, key: Tensor, value: Tensor) -> list[tuple[Tensor, Tensor]]:
        blocks, offset = self.blocks[layer], self.length % BLOCK
        if offset == 0:
            shape = (*key.shape[:2], BLOCK, key.shape[3])
            blocks.append((key.new_zeros(shape), value.new_zeros(shape)))
            if layer == 0:
                self.unseen_own.append(None)
        keys, values = blocks[-1]
        keys[:, :, offset] = key[:, :, 0]
        values[:, :, offset] = value[:, :, 0]
        return blocks

    def _laid_out(self, tensor: Tensor) -> Tensor:
        """[B, H, 1, X] -> [G, H, K, X], 0 where no row stands."""
        flat = tensor[:, :, 0]
        if not self.is_full:
            grid = flat.new_zeros(self.prompts * self.slots, *flat.shape[1:])
            grid[self.place] = flat
            flat = grid
        return flat.unflatten(0, (self.prompts, self.slots)).transpose(1, 2)

    def _by_row(self, grid: Tensor) -> Tensor:
        """[G, H, K, X] -> [B, H, X]"""
        flat = grid.transpose(1, 2).flatten(0, 1)
        return flat if self.is_full else flat[self.place]

    def select_rows(self, rows: Tensor) -> None:
        """Keep these rows, in this (ascending) order, and the prompts that still have one."""
        kept, self.prompt_of_row = torch.unique(self.prompt_of_row[rows], return_inverse=True)
        if len(kept) < self.prompts:
            self.stems = [(keys[kept], values[kept]) for keys, values in self.stems]
            self.unseen = self.unseen[kept]
        self._place_rows()
        self.start = self.start[rows]
        gone = int(self.start.min()) // BLOCK  # blocks that ended before the oldest row came
        self.start, self.length = self.start - gone * BLOCK, self.length - gone * BLOCK
        self.blocks = [[(keys[rows], values[rows]) for keys, values in blocks[gone:]] for blocks in self.blocks]
        self._hide()

    def admit(self, others: "SampleCache") -> None:
        """Take in the rows of a cache in which nothing is sampled yet, behind those that are here."""
        longest = max(self.unseen.shape[-1], others.unseen.shape[-1])

        def joined(here: Tensor, there: Tensor) -> Tensor:
            return torch.cat([F.pad(t, (0, 0, 0, longest - t.shape[2])) for t in (here, there)])

        both = zip(self.stems, others.stems, strict=True)
        self.stems = [(joined(keys, more_keys), joined(values, more)) for (keys, values), (more_keys, more) in both]
        hidden = [F.pad(t, (0, longest - t.shape[-1]), value=float("-inf")) for t in (self.unseen, others.unseen)]
        self.unseen = torch.cat(hidden)
        self.prompt_of_row = torch.cat([self.prompt_of_row, others.prompt_of_row + self.prompts])
        self.start = torch.cat([self.start, others.start + self.length])
        self._place_rows()

        def longer(block: Tensor) -> Tensor:
            return torch.cat([block, block.new_zeros(len(others.prompt_of_row), *block.shape[1:])])

        self.blocks = [[(longer(keys), longer(values)) for keys, values in blocks] for blocks in self.blocks]
        self._hide()

    def _hide(self) -> None:
        """What each block has from before a row came."""
        offset = torch.arange(BLOCK, device=self.start.device)
        self.unseen_own = []
        for block in range(len(self.blocks[0])):
            before = block * BLOCK + offset < self.start[:, None]
            hidden = torch.zeros(before.shape, dtype=self.unseen.dtype, device=before.device)
            hidden = hidden.masked_fill_(before, float("-inf"))[:, None]
            self.unseen_own.append(hidden if bool(before.any()) else None)
