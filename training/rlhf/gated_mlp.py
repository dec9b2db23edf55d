"""The gated MLP (SwiGLU, Shazeer 2020) with the gradient of its gate written out, in place of a model's own.

    y = silu(g) u;   du = silu(g) dy,  dg = silu'(g) u dy

Autograd keeps silu(g) for the gradient beside g and u, as wide as the MLP; here it is computed again, which costs a CPU
less than the memory. On other devices nothing was measured, and autograd goes on.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PARTS = {"gate_proj", "up_proj", "down_proj", "act_fn"}


class GatedMlp(nn.Module):
    """down(silu(gate(x)) up(x)): [..., hidden] -> [..., hidden]."""

    def __init__(self, gate_proj: nn.Module, up_proj: nn.Module, down_proj: nn.Module) -> None:
        super().__init__()
        self.gate_proj, self.up_proj, self.down_proj = gate_proj, up_proj, down_proj

    def forward(self, states: Tensor) -> Tensor:
        gate, up = self.gate_proj(states), self.up_proj(states)
        inner: Tensor = _Gated.apply(gate, up) if gate.device.type == "cpu" else F.silu(gate) * up
        out: Tensor = self.down_proj(inner)
        return out


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:  # of the output
        gate, up = ctx.saved_tensors
        return torch.ops.aten.silu_backward(gradients[0] * up, gate), F.silu(gate).mul_(gradients[0])


def replace_gated_mlps(model: nn.Module) -> None:
    """Put `GatedMlp` in the place of every module that computes the same; the weights keep their names."""
    for owner in list(model.modules()):
        for name, module in owner.named_children():
            if _computes_the_same(module):
                parts: Any = dict(module.named_children())
                setattr(owner, name, GatedMlp(parts["gate_proj"], parts["up_proj"], parts["down_proj"]))


def _computes_the_same(module: nn.Module) -> bool:
    parts: dict[str, Any] = dict(module.named_children())
    if set(parts) != PARTS or not isinstance(parts["gate_proj"], nn.Linear):
        return False
    gate, up, down, _ = (parts[name] for name in ("gate_proj", "up_proj", "down_proj", "act_fn"))
    states = torch.linspace(-1, 2, 2 * gate.in_features, dtype=gate.weight.dtype, device=gate.weight.device).view(2, -1)
    with torch.no_grad():
        return torch.allclose(module(states), down(F.silu(gate(states)) * up(states)), rtol=1e-3, atol=1e-5)
