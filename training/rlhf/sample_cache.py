"""The keys and values of sampling: each prompt's once, and after them those of all its samples, side by side.

The queries of a prompt's K samples meet everything that the prompt and its samples hold in one matrix product; a mask
hides from each sample what the others wrote. That computes K times as many products of samples as are needed, and is
still the fastest way: a product with a single query a row costs its overhead, not its arithmetic.
"""

from typing import Any

import torch
from torch import Tensor, nn


class SampleCache:
    """Of all layers. G prompts of at most P tokens; B rows, each a sample of one prompt; W tokens at most sampled."""

    def __init__(self, prompt_of_row: Tensor, width: int) -> None:
        self.prompt_of_row = prompt_of_row  # long [B], ascending
        self.width = width
        self.length = 0  # own tokens so far
        self.stem_inside: Tensor  # bool [G, P]
        # Own token t of slot k stands at column (keys) or row (values) P + t K + k.
        self.keys: list[Tensor] = []  # per layer [G, H, D, P + W K]
        self.values: list[Tensor] = []  # per layer [G, H, P + W K, D]
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
        if not self.keys:
            self.stem_inside = inside
            self.unseen = self._unseen(keys)
        own = keys.new_empty(*keys.shape[:2], self.width * self.slots, keys.shape[3])
        self.keys.append(torch.cat([keys, own], 2).transpose(-1, -2).contiguous())
        self.values.append(torch.cat([values, own], 2))

    def _unseen(self, like: Tensor) -> Tensor:
        """0 where a slot may look, -inf where not: [G, 1, K, P + W * K]."""
        on_stem = self.stem_inside[:, None].expand(-1, self.slots, -1)
        on_own = torch.eye(self.slots, dtype=torch.bool, device=like.device).repeat(1, self.width)
        seen = torch.cat([on_stem, on_own.expand(self.prompts, -1, -1)], -1)
        return torch.zeros(seen.shape, dtype=like.dtype, device=like.device).masked_fill_(~seen, float("-inf"))[:, None]

    def attend(self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """One new token a row: query (scaled), key, value [B, H, 1, D] -> [B, 1, H, D]."""
        layer: Any = module.layer_idx
        keys, values = self.keys[layer], self.values[layer]
        start = self.stem_inside.shape[1] + self.length * self.slots
        end = start + self.slots
        keys[..., start:end] = self._laid_out(key).transpose(-1, -2)
        values[:, :, start:end] = self._laid_out(value)
        scores = self._laid_out(query) @ keys[..., :end]  # [G, H, K, end]
        out = (scores + self.unseen[..., :end]).softmax(-1) @ values[:, :, :end]
        by_place = out.transpose(1, 2).flatten(0, 1)  # [G * K, H, D]
        return (by_place if self.is_full else by_place[self.place])[:, None]

    def _laid_out(self, tensor: Tensor) -> Tensor:
        """[B, H, 1, D] -> [G, H, K, D], 0 where no row stands."""
        flat = tensor[:, :, 0]
        if not self.is_full:
            grid = flat.new_zeros(self.prompts * self.slots, *flat.shape[1:])
            grid[self.place] = flat
            flat = grid
        return flat.unflatten(0, (self.prompts, self.slots)).transpose(1, 2)

    def select_rows(self, rows: Tensor) -> None:
        """Keep these rows, in this (ascending) order, and the prompts that still have one."""
        place, slots = self.place[rows], self.slots
        kept, self.prompt_of_row = torch.unique(self.prompt_of_row[rows], return_inverse=True)
        self.stem_inside = self.stem_inside[kept]
        self._place_rows()
        # Which slot of its prompt each place of the new grid takes over; where no row stands, any.
        source = torch.zeros(self.prompts * self.slots, dtype=torch.long, device=place.device)
        source[self.place] = place % slots
        source = source.view(self.prompts, self.slots)
        rows_of_keys = (tensor.transpose(-1, -2) for tensor in self.keys)
        moved_keys = (self._moved(tensor, kept, source, slots) for tensor in rows_of_keys)
        self.keys = [tensor.transpose(-1, -2).contiguous() for tensor in moved_keys]
        self.values = [self._moved(tensor, kept, source, slots) for tensor in self.values]
        self.unseen = self._unseen(self.keys[0])

    def _moved(self, tensor: Tensor, kept: Tensor, source: Tensor, slots: int) -> Tensor:
        stem_length = self.stem_inside.shape[1]
        filled = stem_length + self.length * self.slots
        result = tensor.new_empty(self.prompts, tensor.shape[1], stem_length + self.width * self.slots, tensor.shape[3])
        result[:, :, :stem_length] = tensor[kept, :, :stem_length]
        own = tensor[:, :, stem_length : stem_length + self.length * slots].unflatten(2, (self.length, slots))
        moved = own.permute(0, 3, 1, 2, 4)[kept[:, None], source]  # [G, K, H, length, D]
        result[:, :, stem_length:filled] = moved.permute(0, 2, 3, 1, 4).flatten(2, 3)
        return result
