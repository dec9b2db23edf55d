"""How a reward model takes its steps: all comparisons of a prompt in one batch element (section 3.5, appendix C.2)."""

from collections.abc import Sequence
from pathlib import Path

import torch

from training.contract.run_dir import RunError
from training.contract.specs import RewardTrainingSpec
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


def train_step(
    model: ScalarModel,
    optimizer: torch.optim.Optimizer,
    prompts: Sequence[RankedPrompt],
    spec: RewardTrainingSpec,
    step: int,
    seed: int,
) -> dict[str, float]:
    """Step `step` (from 0) of total_steps; which prompts it sees is a function of seed and step. Returns metrics."""
    lr = spec.lr * cosine_factor(step, total_steps(prompts, spec), spec.warmup_steps, spec.lr_final_fraction)
    set_lr(optimizer, lr)
    optimizer.zero_grad(set_to_none=True)
    batch_size = min(spec.batch_size, len(prompts))
    order = endless_order(len(prompts), seed, step * batch_size, batch_size)
    metrics = backward(model, [prompts[i] for i in order], spec)
    check_finite(metrics["loss/train"], "loss/train", step + 1)
    metrics |= {"grad_norm": clip_gradients(model, spec.max_grad_norm), "lr": lr}
    optimizer.step()
    return metrics


def backward(model: ScalarModel, prompts: list[RankedPrompt], spec: RewardTrainingSpec) -> dict[str, float]:
    """Gradient of the K-wise loss of the whole batch, however it is cut. Returns loss and accuracy."""
    device = model.classifier.device
    pairs = [prompt.pairs for prompt in prompts]
    weight_of_prompt = 1 / len(prompts)
    loss, right, count = 0.0, 0, 0
    for batch in scoring_batches(prompts, spec.micro_batch_tokens, device):
        scores = model.score(batch.packed)
        chosen = batch_pairs([pairs[position] for position in batch.positions], batch.sizes, device)
        part = kwise_loss(scores, chosen) * (len(batch.positions) * weight_of_prompt)
        part.backward()
        loss += part.item()
        right += int((scores[chosen.winners] > scores[chosen.losers]).sum())
        count += len(chosen.winners)
    return {"loss/train": loss, "train/accuracy": right / count}
