"""The last layer, computed only where a state is read.

In every other layer all of it serves what later layers attend to; what the last one adds to a position is seen by the
head alone, and only if the head reads there: once a row in a reward model, before the response tokens in PPO and SFT.
Elsewhere only keys and values are needed, not queries, attention's output or the MLP. The states that are read are the
same, with their gradients; the others are not of any use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel


@contextmanager
def read_only(model: PreTrainedModel, at: Tensor | None, tokens: int) -> Iterator[None]:
    """Within, only the states at the flat positions `at` of a pass over `tokens` are read (None: all of them)."""
    # Checkpointing computes layers again in the backward pass, when this is over.
    if at is None or model.is_activation_checkpointing:
        yield
        return
    where = at.unique()  # a prompt's last state is read by each of its completions
    parts = _parts(model) if len(where) < tokens else []
    for part in parts:
        if not hasattr(part, "read_at"):
            part.register_forward_pre_hook(_take)
            part.register_forward_hook(_put_back)
        part.read_at = where
    try:
        yield
    finally:
        for part in parts:
            part.read_at = None


def _parts(model: PreTrainedModel) -> list[Any]:
    """Of the last layer, what computes queries, attention's output and the MLP: where these have the usual names."""
    lists = [module for module in model.get_decoder().children() if isinstance(module, nn.ModuleList)]
    if len(lists) != 1:
        return []
    layer = lists[0][-1]
    owners = [(layer, "mlp"), *((getattr(layer, "self_attn", None), name) for name in ("q_proj", "o_proj"))]
    return [part for owner, name in owners if (part := getattr(owner, name, None)) is not None]


def _take(part: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """[1, N, hidden] -> [1, read, hidden]"""
    states, *rest = inputs
    part.tokens = states.shape[1]
    return None if part.read_at is None else (states.index_select(1, part.read_at), *rest)


def _put_back(part: Any, _: Any, output: Tensor) -> Tensor | None:
    """[1, read, width] -> [1, N, width], 0 where nothing is read"""
    if part.read_at is None:
        return None
    everywhere = output.new_zeros(1, part.tokens, output.shape[2])
    return everywhere.index_copy(1, part.read_at, output)
