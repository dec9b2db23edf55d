"""How a reward model takes its steps: all comparisons of a prompt in one batch element (section 3.5, appendix C.2)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from training.contract.run_dir import RunError
from training.contract.specs import RewardTrainingSpec
from training.rlhf import distributed
from training.rlhf.comparisons import RankedPrompt, scoring_batches
from training.rlhf.losses import batch_pairs, kwise_loss
from training.rlhf.optim import clip_gradients
from training.rlhf.packing import endless_order
from training.rlhf.scalar_head import ScalarModel
from training.rlhf.schedules import cosine_factor, set_lr
from training.rlhf.session import check_finite


def with_pairs(path: Path, ranked: list[RankedPrompt]) -> list[RankedPrompt]:
    """The prompts whose rankings are not all ties. Raises RunError where there is none."""
    prompts = [prompt for prompt in ranked if prompt.pairs]
    if not prompts:
        raise RunError(f"file {path.name}: all completions of every ranking are tied, so no comparison is left.")
    return prompts


def total_steps(prompts: Sequence[RankedPrompt], spec: RewardTrainingSpec) -> int:
    """Optimizer steps of all epochs; prompts that do not fill a last batch wait for the next epoch."""
    return max(1, spec.epochs * len(prompts) // min(spec.batch_size, len(prompts)))


def bootstrap_weights(prompts: int, heads: int, seed: int) -> Tensor:
    """How often each prompt is in the sample that a head learns from, 0, 1, 2, …: [prompts, heads]. One head has all.

    Every head draws as many prompts as there are, with replacement, by a generator of its own.
    """
    if heads == 1:
        return torch.ones(prompts, 1)
    columns = []
    for head in range(heads):
        generator = torch.Generator().manual_seed(seed * 1_000_037 + head)
        drawn = torch.randint(prompts, (prompts,), generator=generator)
        columns.append(torch.bincount(drawn, minlength=prompts))
    return torch.stack(columns, 1).float()


def train_step(
    model: ScalarModel,
    optimizer: torch.optim.Optimizer,
    prompts: Sequence[RankedPrompt],
    spec: RewardTrainingSpec,
    step: int,
    seed: int,
    weights: Tensor | None = None,
) -> dict[str, float]:
    """Step `step` (from 0) of total_steps; which prompts it sees is a function of seed and step. Returns metrics.

    `weights` [prompts, heads]: what a prompt counts for a head; 1 where it is not said.
    """
    lr = spec.lr * cosine_factor(step, total_steps(prompts, spec), spec.warmup_steps, spec.lr_final_fraction)
    set_lr(optimizer, lr)
    optimizer.zero_grad(set_to_none=True)
    batch_size = min(spec.batch_size, len(prompts))
    order = endless_order(len(prompts), seed, step * batch_size, batch_size)
    metrics = backward(model, [prompts[i] for i in order], spec, None if weights is None else weights[order])
    check_finite(metrics["loss/train"], "loss/train", step + 1)
    metrics |= {"grad_norm": clip_gradients(model, spec.max_grad_norm), "lr": lr}
    optimizer.step()
    return metrics


def backward(
    model: ScalarModel, prompts: list[RankedPrompt], spec: RewardTrainingSpec, weights: Tensor | None = None
) -> dict[str, float]:
    """Gradient of the K-wise loss of the whole batch, however it is cut. Returns loss and accuracy.

    The loss is the mean over the heads, so that the trunk's gradient is of the size that one head gives it.
    """
    device = model.classifier.device
    pairs = [prompt.pairs for prompt in prompts]
    weight_of_prompt = 1 / len(prompts)
    weights = torch.ones(len(prompts), 1) if weights is None else weights
    loss, right, count = 0.0, 0.0, 0.0
    for batch in scoring_batches(prompts, spec.micro_batch_tokens, device):
        by_head = model.score_by_head(batch.packed)
        scores = by_head.detach().mean(-1)
        chosen = batch_pairs([pairs[position] for position in batch.positions], batch.sizes, device)
        counts = torch.tensor([len(pairs[position]) for position in batch.positions], dtype=torch.long)
        of_pair = weights[batch.positions].repeat_interleave(counts, 0).to(device)
        weighted = chosen._replace(weights=chosen.weights[:, None] * of_pair)
        part = kwise_loss(by_head, weighted) / by_head.shape[1] * (len(batch.positions) * weight_of_prompt)
        part.backward()
        loss += part.item()
        right += float((scores[chosen.winners] > scores[chosen.losers]).sum())
        count += len(chosen.winners)
    loss, right, count = distributed.sum_numbers(loss, right, count)
    return {"loss/train": loss, "train/accuracy": right / count}
