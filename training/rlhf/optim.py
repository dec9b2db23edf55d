"""The optimizer of every recipe: AdamW with the paper's betas."""

from typing import Protocol

import torch
from torch import nn


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
    """Scale the gradient down to `max_norm` where it is larger, and return its norm before that."""
    return float(nn.utils.clip_grad_norm_(model.parameters(), max_norm))
