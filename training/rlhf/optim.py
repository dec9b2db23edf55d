"""The optimizer of every recipe: AdamW with the paper's betas."""

from typing import Protocol

import torch
from torch import Tensor, nn

from training.rlhf import distributed
from training.rlhf.sharding import whole


class AdamSettings(Protocol):
    @property
    def adam_beta1(self) -> float: ...

    @property
    def adam_beta2(self) -> float: ...

    @property
    def adam_eps(self) -> float: ...

    @property
    def weight_decay(self) -> float: ...


def adamw(model: nn.Module, lr: float, spec: AdamSettings) -> torch.optim.AdamW:
    """AdamW over all parameters; decay on matrices only, since decaying gains and biases has no use."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": spec.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=(spec.adam_beta1, spec.adam_beta2), eps=spec.adam_eps, fused=True)


def clip_gradients(model: nn.Module, max_norm: float) -> float:
    """Sum the gradient over the processes, scale it down to `max_norm` where it is larger, return its norm before."""
    distributed.sum_tensors(parameter.grad for parameter in model.parameters() if parameter.grad is not None)
    return float(whole(nn.utils.clip_grad_norm_(model.parameters(), max_norm)))


def summed_norm(gradients: list[Tensor]) -> Tensor:
    """The norm of a gradient of which each process holds its part of the sum; the parts are replaced by the sum."""
    distributed.sum_tensors(gradients)
    return torch.stack([whole(gradient.norm()) for gradient in gradients]).norm()
