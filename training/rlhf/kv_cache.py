"""A key-value cache in one preallocated buffer per layer, whose rows can be repeated and retired."""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class BufferLayer(DynamicLayer):
    """Keys and values of one layer. The growing caches of transformers copy everything at every token; this one not."""

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.keys: Tensor  # [rows, heads, capacity, width], from the first update on
        self.values: Tensor
        self.capacity = capacity
        self.length = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        rows, heads, _, key_width = key_states.shape
        self.keys = key_states.new_empty(rows, heads, self.capacity, key_width)
        self.values = value_states.new_empty(rows, heads, self.capacity, value_states.shape[3])
        self.dtype, self.device, self.is_initialized = key_states.dtype, key_states.device, True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[2]
        self.keys[:, :, self.length : end] = key_states
        self.values[:, :, self.length : end] = value_states
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]

    def get_seq_length(self) -> int:
        return self.length

    def select_rows(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may come several times. Only what is filled is copied."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = old.new_empty(len(rows), *old.shape[1:])
            torch.index_select(old[:, :, : self.length], 0, rows, out=new[:, :, : self.length])
            setattr(self, name, new)


class BufferCache(Cache):
    def __init__(self, layers: int, capacity: int) -> None:
        self._buffers = [BufferLayer(capacity) for _ in range(layers)]
        super().__init__(layers=list(self._buffers))

    def select_rows(self, rows: Tensor) -> None:
        for layer in self._buffers:
            layer.select_rows(rows)
