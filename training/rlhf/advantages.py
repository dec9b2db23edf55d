"""Generalized advantage estimation and whitening."""

import torch
from torch import Tensor


def gae(rewards: Tensor, values: Tensor, lengths: Tensor, gamma: float, lam: float) -> tuple[Tensor, Tensor]:
    """Advantages and returns of right-padded responses: [B, R], [B, R], lengths [B] -> [B, R], [B, R].

    Schulman et al. 2016, equation 16: A_t = sum_l (gamma lam)^l (r_t+l + gamma V_t+l+1 - V_t+l), with V = 0 after the
    last token of the response. Returns are advantages plus values. The padding of the results is 0; that of the
    arguments does not matter.
    """
    width = rewards.shape[1]
    inside = torch.arange(width, device=rewards.device) < lengths[:, None]
    rewards = rewards.masked_fill(~inside, 0.0)
    values = values.masked_fill(~inside, 0.0)
    advantages = torch.zeros_like(rewards)
    after = torch.zeros_like(rewards[:, 0])
    next_value = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(width)):
        after = rewards[:, t] + gamma * next_value - values[:, t] + gamma * lam * after
        advantages[:, t] = after
        next_value = values[:, t]
    return advantages, advantages + values


def whiten(values: Tensor) -> Tensor:
    """Mean 0 and variance 1 over all entries, the variance with 1/n: [N] -> [N]."""
    mean = values.mean()
    variance = ((values - mean) ** 2).mean()
    return (values - mean) * torch.rsqrt(variance + 1e-8)
