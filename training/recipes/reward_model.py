"""Train a reward model on rankings (Ouyang et al. 2022, section 3.5 and appendix C.2).

All comparisons of a prompt are one batch element, every completion goes through the model once, ties are dropped, one
epoch, cosine to 10 %, no dropout. Then the scores are shifted so that the demonstrations have the mean 0.

Deviations from the paper:
- The head is drawn from N(0, 1 / (hidden + 1)) and Adam's epsilon is 1e-5, as in published re-implementations; the
  paper states neither.
- `unit_std` also scales the rewards to spread 1 over the ranked completions (as the code of 2019 did), so that one
  kl_coef means the same for different reward models. Off by default.

    python -m training.recipes.reward_model --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.reward_model --run-dir var/artifacts/runs/<run id>
"""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir, RunError, write_atomically
from training.contract.specs import RewardModelSpec, RewardTrainingSpec
from training.contract.status import StatusWriter
from training.rlhf import distributed
from training.rlhf.causal_lm import context_length, load_tokenizer
from training.rlhf.comparisons import RankedPrompt, read_ranked_prompts, score_prompts, scoring_batches
from training.rlhf.judgements import judge, rows_by_prompt
from training.rlhf.losses import batch_pairs, kwise_loss
from training.rlhf.optim import adamw, clip_gradients
from training.rlhf.packing import endless_order
from training.rlhf.reward_quality import (
    Judgement,
    best_of_n_wins,
    bootstrap_interval,
    by_group,
    expected_calibration_error,
    log_loss,
    pair_accuracy,
    reliability,
)
from training.rlhf.scalar_head import ScalarModel, new_scalar_model
from training.rlhf.schedules import cosine_factor, set_lr
from training.rlhf.session import Session, check_finite, publish_checkpoint
from training.rlhf.tokens import check_context, encode_completions, encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("reward_model", reward_model, arguments)


def reward_model(run: RunDir, spec: RewardModelSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    model = new_scalar_model(run.parent("policy"), tokenizer, session.device, spec.precision)
    context = context_length(model.classifier)
    path = run.input("rankings")
    ranked = read_ranked_prompts(path, tokenizer, spec.max_prompt_tokens, context)
    prompts = with_pairs(path, ranked)
    valid: list[RankedPrompt] = []
    if run.has_input("valid_rankings"):
        valid = read_ranked_prompts(run.input("valid_rankings"), tokenizer, spec.max_prompt_tokens, context)
        with_pairs(run.input("valid_rankings"), valid)
    references = _read_references(run.input("demonstrations"), tokenizer, context)

    session.shard(model)
    optimizer = adamw(model, spec.lr, spec)
    total = total_steps(prompts, spec)
    first = session.resume(model=model, optimizer=optimizer)
    status.stage("training")
    for step in range(first, total):
        metrics = train_step(model, optimizer, prompts, spec, step, run.seed)
        session.write_metrics(step + 1, metrics)
        session.after_step(step + 1, total)

    status.stage("validating")
    scoring: dict[str, Any] = {"max_tokens": spec.micro_batch_tokens, "device": session.device}
    result: dict[str, Any] = {"prompts": len(prompts), "comparisons": sum(len(prompt.pairs) for prompt in prompts)}
    result |= {"tied_prompts": len(ranked) - len(prompts), "steps": total}
    if valid:
        rows = rows_by_prompt(run.input("valid_rankings"))
        judgements = judge(valid, score_prompts(model, valid, **scoring), rows)
        result |= validate(judgements, spec.bootstrap_samples, run.seed)
        result |= _write_tables(run.path / "validation.json", judgements, spec.bootstrap_samples, run.seed)
        session.write_metrics(total, {"val/loss": result["valid_loss"], "val/accuracy": result["valid_accuracy"]})
    status.stage("normalizing")
    result |= _normalize(model, prompts, references, spec, scoring)
    status.stage("saving")
    publish_checkpoint(run, model.classifier, tokenizer)
    return {name: round(value, 6) + 0.0 if isinstance(value, float) else value for name, value in result.items()}


def with_pairs(path: Path, ranked: list[RankedPrompt]) -> list[RankedPrompt]:
    """The prompts whose rankings are not all ties. Raises RunError where there is none."""
    prompts = [prompt for prompt in ranked if prompt.pairs]
    if not prompts:
        raise RunError(f"file {path.name}: all completions of every ranking are tied, so no comparison is left.")
    return prompts


def _read_references(path: Path, tokenizer: Any, context: int) -> list[RankedPrompt]:
    """The demonstrations, each as a prompt with one completion."""
    rows = read_rows(path, "demonstrations")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    completions = encode_completions(tokenizer, [row["completion"] for row in rows])
    references = [RankedPrompt(p, [c], []) for p, c in zip(prompts, completions, strict=True)]
    check_context(path.name, [reference.longest for reference in references], context)
    return references


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
    loss, right, count = 0.0, 0.0, 0.0
    for batch in scoring_batches(prompts, spec.micro_batch_tokens, device):
        scores = model.score(batch.packed)
        chosen = batch_pairs([pairs[position] for position in batch.positions], batch.sizes, device)
        part = kwise_loss(scores, chosen) * (len(batch.positions) * weight_of_prompt)
        part.backward()
        loss += part.item()
        right += float((scores[chosen.winners] > scores[chosen.losers]).sum())
        count += len(chosen.winners)
    loss, right, count = distributed.sum_numbers(loss, right, count)
    return {"loss/train": loss, "train/accuracy": right / count}


def validate(judgements: Sequence[Judgement], bootstrap_samples: int, seed: int) -> dict[str, float]:
    """Accuracy, log loss and best-of-n on rankings that were not trained on."""
    rankings = [judgement.ranking for judgement in judgements]
    wins = best_of_n_wins(rankings)
    low, high = bootstrap_interval(wins, bootstrap_samples, seed)
    return {
        "valid_accuracy": pair_accuracy(rankings),
        "valid_loss": log_loss(rankings),
        "best_of_n_win_rate": statistics.fmean(wins),
        "best_of_n_win_rate_low": low,
        "best_of_n_win_rate_high": high,
    }


def _write_tables(path: Path, judgements: Sequence[Judgement], bootstrap_samples: int, seed: int) -> dict[str, float]:
    """validation.json: accuracy and log loss by group, and the calibration. Returns the overall figures of it."""
    groups = by_group(judgements, bootstrap_samples, seed)
    bins = reliability([judgement.ranking for judgement in judgements])
    error = expected_calibration_error(bins)
    tables = {"groups": groups, "calibration": {"expected_calibration_error": error, "bins": bins}}

    def write(temporary: Path) -> None:
        temporary.write_text(json.dumps(tables, ensure_ascii=False), encoding="utf-8")

    if distributed.rank() == 0:
        write_atomically(path, write)
    return {
        "valid_accuracy_low": groups[0]["accuracy_low"],
        "valid_accuracy_high": groups[0]["accuracy_high"],
        "valid_calibration_error": error,
    }


def _normalize(
    model: ScalarModel,
    prompts: list[RankedPrompt],
    references: list[RankedPrompt],
    spec: RewardModelSpec,
    scoring: dict[str, Any],
) -> dict[str, float]:
    """Shift the rewards to mean 0 over the demonstrations; with unit_std also to spread 1 over the completions."""
    ranked = [score for scores in score_prompts(model, prompts, **scoring) for score in scores]
    std = statistics.pstdev(ranked)
    mean = statistics.fmean(scores[0] for scores in score_prompts(model, references, **scoring))
    scale = std if spec.unit_std and std > 0 else 1.0
    model.normalize(mean, scale)
    after = statistics.fmean(scores[0] for scores in score_prompts(model, references, **scoring))
    return {
        "demonstration_mean": after,
        "reward_bias": model.reward_bias,
        "completion_mean": (statistics.fmean(ranked) - mean) / scale,
        "completion_std": std / scale,
    }


if __name__ == "__main__":
    raise SystemExit(main())
