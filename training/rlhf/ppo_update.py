"""One optimizer step of PPO on a minibatch: policy (with pretraining gradient) and value model, each by its own."""

from collections import defaultdict

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from training.contract.specs import PpoSpec
from training.rlhf import distributed
from training.rlhf.causal_lm import response_logprobs, text_loss
from training.rlhf.losses import policy_losses, value_losses
from training.rlhf.optim import clip_gradients, summed_norm
from training.rlhf.rollout import Minibatch, Rollout, take
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.session import check_finite
from training.rlhf.shares import my_blocks
from training.rlhf.targets import Targets


class Averages:
    """Means of what the minibatches of an iteration report; tensors are read once, at the end."""

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor | float]] = defaultdict(list)

    def add(self, name: str, value: Tensor | float) -> None:
        self._values[name].append(value.detach() if isinstance(value, Tensor) else value)

    def add_summed(self, values: dict[str, Tensor]) -> None:
        """Values of which each process has its part of the sum."""
        total = distributed.all_sum(torch.stack([value.detach() for value in values.values()]))
        for name, value in zip(values, total, strict=True):
            self.add(name, value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def means(self) -> dict[str, float]:
        return {name: sum(float(value) for value in values) / len(values) for name, values in self._values.items()}


def policy_backward(
    policy: PreTrainedModel, rollout: Rollout, targets: Targets, minibatch: Minibatch, spec: PpoSpec, averages: Averages
) -> None:
    """Gradient of the clipped policy loss, a mean over the response tokens of the whole minibatch."""
    inside = rollout.inside
    total = approxkl = clipped = ratios = errors = torch.zeros((), device=inside.device)
    for rows in minibatch.rows:
        logprobs = response_logprobs(policy, rows.packed, spec.temperature)
        old_logprobs = take(rollout.logprobs, rows, inside)
        advantages = take(targets.advantages, rows, inside)
        loss = policy_losses(logprobs, old_logprobs, advantages, spec.cliprange).sum() / minibatch.tokens
        loss.backward()
        with torch.no_grad():
            ratio = (logprobs - old_logprobs).exp()
            total = total + loss
            approxkl = approxkl + 0.5 * ((logprobs - old_logprobs) ** 2).sum() / minibatch.tokens
            # Clipped where the bound, not the ratio, makes the loss.
            bound = ratio.clamp(1 - spec.cliprange, 1 + spec.cliprange)
            clipped = clipped + (-advantages * bound > -advantages * ratio).sum() / minibatch.tokens
            ratios = ratios + ratio.sum() / minibatch.tokens
            errors = errors + (ratio - 1).abs().sum() / minibatch.tokens
    if "policy/first_ratio_error" not in averages:  # of the first minibatch alone, before any step: there it is 0
        averages.add_summed({"policy/first_ratio_error": errors})
    averages.add_summed({"loss/policy_avg": total, "policy/approxkl_avg": approxkl})
    averages.add_summed({"policy/clipfrac_avg": clipped, "val/ratio": ratios})


def ptx_backward(policy: PreTrainedModel, blocks: Tensor, spec: PpoSpec, averages: Averages) -> None:
    """Add ptx_coef times the gradient of the mean loss per pretraining token to what the policy already holds.

    Ouyang et al. 2022, appendix C.4: the two gradients are computed one after the other and accumulated.
    """
    total = torch.zeros((), device=blocks.device)
    for part, share in my_blocks(blocks, spec.micro_batch_tokens):
        loss = text_loss(policy, part) * share
        (spec.ptx_coef * loss).backward()
        total = total + loss.detach()
    averages.add_summed({"loss/ptx_avg": total})


def policy_step(
    policy: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    targets: Targets,
    minibatch: Minibatch,
    blocks: Tensor | None,
    spec: PpoSpec,
    averages: Averages,
    *,
    measure_ratio: bool,
) -> None:
    """PPO gradient, pretraining gradient into the same buffer, clip, one optimizer step.

    `measure_ratio` reports the norm of the pretraining gradient over that of the PPO gradient, at the cost of one copy.
    """
    optimizer.zero_grad(set_to_none=True)
    policy_backward(policy, rollout, targets, minibatch, spec, averages)
    if blocks is not None:
        before = gradients(policy) if measure_ratio else None
        ptx_backward(policy, blocks, spec, averages)
        if before is not None:
            added = [after - own for after, own in zip(gradients(policy), before, strict=True)]
            ratio = summed_norm(added) / summed_norm(before).clamp_min(1e-12)
            averages.add("policy/grad_norm_ratio", ratio)
    norm = clip_gradients(policy, spec.max_grad_norm)
    check_finite(norm, "policy/grad_norm")
    averages.add("policy/grad_norm", norm)
    optimizer.step()


def value_step(
    value: ScalarModel,
    optimizer: torch.optim.Optimizer,
    rollout: Rollout,
    targets: Targets,
    minibatch: Minibatch,
    spec: PpoSpec,
    averages: Averages,
) -> None:
    """One optimizer step on vf_coef times the clipped value loss."""
    optimizer.zero_grad(set_to_none=True)
    inside = rollout.inside
    total = clipped = torch.zeros((), device=inside.device)
    for rows in minibatch.rows:
        values = value.values(rows.packed)
        old_values = take(rollout.values, rows, inside)
        returns = take(targets.returns, rows, inside)
        loss = value_losses(values, old_values, returns, spec.cliprange_value).sum() / minibatch.tokens
        (spec.vf_coef * loss).backward()
        total = total + loss.detach()
        clipped = clipped + ((values - old_values).abs() > spec.cliprange_value).sum() / minibatch.tokens
    norm = clip_gradients(value, spec.max_grad_norm)
    check_finite(norm, "value/grad_norm")
    averages.add_summed({"loss/value_avg": total, "val/clipfrac_avg": clipped})
    averages.add("value/grad_norm", norm)
    optimizer.step()


def gradients(model: nn.Module) -> list[Tensor]:
    return [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
