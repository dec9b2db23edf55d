"""The MLP of the last layer, computed only where a state is read.

In every other layer the MLP serves what later layers attend to; what the last one adds to a position is seen by the
head alone, and only if the head reads there: once a row in a reward model, before the response tokens in PPO and SFT.
The states that are read are the same, with their gradients; the others are not of any use and lack the last MLP.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel


@contextmanager
def read_only(model: PreTrainedModel, at: Tensor | None) -> Iterator[None]:
    """Within, only the states at the flat positions `at` of a pass are read (None: all of them)."""
    mlp = _last_mlp(model)
    # Checkpointing computes layers again in the backward pass, when this is over.
    if mlp is None or at is None or model.is_activation_checkpointing:
        yield
        return
    if not hasattr(mlp, "read_at"):
        mlp.register_forward_pre_hook(_take)
        mlp.register_forward_hook(_put_back)
    mlp.read_at = at.unique()  # a prompt's last state is read by each of its completions
    try:
        yield
    finally:
        mlp.read_at = None


def _last_mlp(model: PreTrainedModel) -> Any:
    """None where the trunk does not have its layers in one list, or its layers no `mlp`."""
    lists = [module for module in model.get_decoder().children() if isinstance(module, nn.ModuleList)]
    return getattr(lists[0][-1], "mlp", None) if len(lists) == 1 else None


def _take(mlp: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """[1, N, hidden] -> [1, read, hidden]"""
    states, *rest = inputs
    mlp.tokens = states.shape[1]
    return None if mlp.read_at is None else (states.index_select(1, mlp.read_at), *rest)


def _put_back(mlp: Any, _: Any, output: Tensor) -> Tensor | None:
    """[1, read, hidden] -> [1, N, hidden], 0 where nothing is read"""
    if mlp.read_at is None:
        return None
    everywhere = output.new_zeros(1, mlp.tokens, output.shape[2])
    return everywhere.index_copy(1, mlp.read_at, output)
