"""Root mean square normalisation (Zhang and Sennrich 2019) with its gradient written out, in place of a model's own.

    y = w x r,  r = 1 / sqrt(mean(x^2) + eps);   dx = r (w dy - h mean(w dy h)),  dw = sum(dy h),  where h = x r

The modules of transformers leave the gradient to autograd, a pass over memory for each operation, and steps of SFT on a
CPU take 3 % longer by that. On other devices nothing was measured, and autograd goes on.
"""

from typing import Any

import torch
from torch import Tensor, nn


def rms_norm(states: Tensor, weight: Tensor, eps: float) -> Tensor:
    """In float32 at least, as transformers does: [..., N], [N] -> [..., N]."""
    exact = states.to(torch.promote_types(states.dtype, torch.float32))
    normed = exact * torch.rsqrt(exact.square().mean(-1, keepdim=True) + eps)
    return weight * normed.to(states.dtype)


class RmsNorm(nn.Module):
    """Normalises the last dimension: [..., N] -> [..., N]."""

    def __init__(self, weight: nn.Parameter, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = weight, eps

    def forward(self, states: Tensor) -> Tensor:
        if states.device.type != "cpu":
            return rms_norm(states, self.weight, self.eps)
        normed: Tensor = _RmsNorm.apply(states, self.weight, self.eps)
        return normed


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, eps: float) -> Tensor:
        ctx.dtype = states.dtype
        exact = states.to(torch.promote_types(states.dtype, torch.float32))
        rate = torch.linalg.vector_norm(exact, dim=-1, keepdim=True).square_().div_(weight.numel()).add_(eps).rsqrt_()
        normed = exact * rate
        ctx.save_for_backward(normed, rate, weight)
        return (normed * weight).to(torch.promote_types(states.dtype, weight.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # of the output
        normed, rate, weight = ctx.saved_tensors
        grad = gradients[0].to(normed.dtype)
        by_normed = grad * normed
        to_weight = by_normed.reshape(-1, weight.numel()).sum(0).to(weight.dtype) if ctx.needs_input_grad[1] else None
        along = (by_normed @ weight.to(normed.dtype))[..., None].div_(weight.numel())
        to_states = torch.addcmul(grad * weight, normed, along, value=-1).mul_(rate)
        return to_states.to(ctx.dtype), to_weight, None


def replace_norms(model: nn.Module) -> None:
    """Put `RmsNorm` in the place of every module that computes the same; the weights keep their names."""
    for owner in list(model.modules()):
        for name, module in owner.named_children():
            if (eps := _eps(module)) is not None:
                setattr(owner, name, RmsNorm(module.weight, eps))  # type: ignore[arg-type]


def _eps(module: nn.Module) -> float | None:
    """What the module adds to the mean square, if it is this normalisation and nothing else (some add 1 to w)."""
    eps = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if not type(module).__name__.endswith("RMSNorm") or not isinstance(eps, float):
        return None
    weights = dict(module.named_parameters())
    if list(weights) != ["weight"]:
        return None
    weight = weights["weight"].detach()
    states = torch.linspace(-1, 2, 2 * weight.numel(), dtype=weight.dtype, device=weight.device).view(2, -1)
    with torch.no_grad():
        same = torch.allclose(module(states), rms_norm(states, weight, eps), rtol=1e-3, atol=1e-5)
    return eps if same else None
