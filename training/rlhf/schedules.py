"""Learning-rate schedules, as factors on the peak rate."""

import math

import torch


def cosine_factor(step: int, total: int, warmup: int, final: float) -> float:
    """Linear warmup over `warmup` steps, then a cosine from 1 to `final` over the rest; `step` counts from 0.

    Ouyang et al. 2022, appendix C.1 and C.2: cosine to 10 % of the peak, no warmup.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, total - warmup)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def ppo_warmup_factor(iteration: int, warmup: int) -> float:
    """From a tenth of the peak to the peak over the first `warmup` iterations, then constant; counts from 0.

    Ouyang et al. 2022, appendix C.4: warmup over the first 10 iterations, starting with a tenth of the peak rate.
    """
    return 1.0 if iteration >= warmup else 0.1 + 0.9 * iteration / warmup


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr
