"""Linear layers whose float32 products are oneDNN's, on a CPU with AVX-512.

torch multiplies float32 by MKL. On an AMD EPYC oneDNN does the same products forward, and those of the gradient that
goes to the input, 5 to 20 % faster wherever there are some 64 rows, and those of the gradient of the weight no faster
(`docs/lab-log.md`): those stay. Both sum in float32, in an order of their own.

oneDNN lays a weight out anew for each product. Where many passes have the same weights, as in decoding, it does so
once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEWEST_ROWS = 64  # below, MKL is as quick


class Linear(nn.Linear):
    """[..., in] -> [..., out]"""

    laid_out: Tensor | None = None  # the weight as oneDNN reads it, within `weights_laid_out`

    def forward(self, states: Tensor) -> Tensor:
        if self.laid_out is not None:
            dtype = self.laid_out.dtype
            return _product(states.to(dtype), self.laid_out, None if self.bias is None else self.bias.to(dtype))
        if not _is_quicker(states, self.weight):
            return F.linear(states, self.weight, self.bias)
        product: Tensor = _Linear.apply(states, self.weight, self.bias)
        return product


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(states, weight)
        return _product(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # of the output
        states, weight = ctx.saved_tensors
        to_states, to_weight, to_bias = ctx.needs_input_grad
        grad = gradients[0]
        rows = grad.flatten(0, -2)
        return (
            _product(grad, weight.T) if to_states else None,
            rows.T @ states.flatten(0, -2) if to_weight else None,
            rows.sum(0) if to_bias else None,
        )


def _product(left: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """left @ weight.T + bias by oneDNN; torch.compile calls it the same way."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(left, weight, bias, "none", [], "")
    return product


def _is_quicker(states: Tensor, weight: Tensor) -> bool:
    return (
        states.device.type == "cpu"
        and states.dtype == weight.dtype == torch.float32
        and states.numel() >= FEWEST_ROWS * states.shape[-1]
        and states.dim() > 1
        and not torch.is_autocast_enabled("cpu")
        and _has_onednn()
    )


@cache
def _has_onednn() -> bool:
    has_product = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return has_product and torch.backends.cpu.get_cpu_capability().startswith("AVX512")


def replace_linears(model: nn.Module) -> None:
    """Make every `nn.Linear` of the model one of these; it stays the same object, with its hooks and weights."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Linear


@contextmanager
def weights_laid_out(model: nn.Module) -> Iterator[None]:
    """For many passes without gradient: each weight is laid out for oneDNN once and not in every product, on a CPU.

    In the precision that passes compute in here. The weights must not change meanwhile.
    """
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
    layers = [module for module in model.modules() if isinstance(module, Linear) and _can_lay_out(module.weight)]
    try:
        for layer in layers:
            layer.laid_out = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(dtype), None)
        yield
    finally:
        for layer in layers:
            layer.laid_out = None


def _can_lay_out(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and _has_onednn()
