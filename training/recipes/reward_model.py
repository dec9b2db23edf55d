"""Train a reward model on rankings (Ouyang et al. 2022, section 3.5 and appendix C.2).

All comparisons of a prompt are one batch element, every completion goes through the model once, ties are dropped, one
epoch, cosine to 10 %, no dropout. Then the scores are shifted so that the demonstrations have the mean 0.

Deviations from the paper:
- The head is drawn from N(0, 1 / (hidden + 1)) and Adam's epsilon is 1e-5, as in published re-implementations; the
  paper states neither.
- `unit_std` also scales the rewards to spread 1 over the ranked completions (as the code of 2019 did), so that one
  kl_coef means the same for different reward models. Off by default.
- `heads` above 1 makes an ensemble on one trunk: each head has a start and a bootstrap of the prompts of its own, and
  its own zero at the demonstrations' mean. The reward is the mean of the heads. (Coste et al. 2023 train whole models.)

    python -m training.recipes.reward_model --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.reward_model --run-dir var/artifacts/runs/<run id>
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir, write_atomically
from training.contract.specs import RewardModelSpec
from training.contract.status import StatusWriter
from training.rlhf import distributed
from training.rlhf.causal_lm import context_length, load_tokenizer
from training.rlhf.comparisons import RankedPrompt, mean_of_heads, read_ranked_prompts, score_by_head, score_prompts
from training.rlhf.ensemble import ensemble_figures
from training.rlhf.judgements import judge, rows_by_prompt
from training.rlhf.lora import add_lora, trained
from training.rlhf.optim import adamw
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
from training.rlhf.reward_training import bootstrap_weights, total_steps, train_step, with_pairs
from training.rlhf.scalar_head import ScalarModel, new_scalar_model
from training.rlhf.session import Session, publish_checkpoint
from training.rlhf.tokens import check_context, encode_completions, encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("reward_model", reward_model, arguments)


def reward_model(run: RunDir, spec: RewardModelSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    policy = run.parent("policy")
    model = new_scalar_model(policy, tokenizer, session.device, spec.precision, spec.heads, run.seed)
    lora = add_lora(model.classifier, spec, run.parents["policy"]["path"])
    context = context_length(model.classifier)
    path = run.input("rankings")
    ranked = read_ranked_prompts(path, tokenizer, spec.max_prompt_tokens, context)
    prompts = with_pairs(path, ranked)
    valid: list[RankedPrompt] = []
    if run.has_input("valid_rankings"):
        valid = read_ranked_prompts(run.input("valid_rankings"), tokenizer, spec.max_prompt_tokens, context)
        with_pairs(run.input("valid_rankings"), valid)
    references = _read_references(run.input("demonstrations"), tokenizer, context)

    weights = bootstrap_weights(len(prompts), spec.heads, run.seed)
    session.shard(model)
    optimizer = adamw(model, spec.lr, spec)
    total = total_steps(prompts, spec)
    first = session.resume(model=trained(model), optimizer=optimizer)
    status.stage("training")
    for step in range(first, total):
        metrics = train_step(model, optimizer, prompts, spec, step, run.seed, weights)
        session.write_metrics(step + 1, metrics)
        session.after_step(step + 1, total)

    status.stage("validating")
    scoring: dict[str, Any] = {"max_tokens": spec.micro_batch_tokens, "device": session.device}
    result: dict[str, Any] = {"prompts": len(prompts), "comparisons": sum(len(prompt.pairs) for prompt in prompts)}
    result |= {"tied_prompts": len(ranked) - len(prompts), "steps": total}
    if valid:
        rows = rows_by_prompt(run.input("valid_rankings"))
        by_head = score_by_head(model, valid, **scoring)
        judgements = judge(valid, mean_of_heads(by_head), rows)
        ensemble = _ensemble(valid, by_head) if spec.heads > 1 else {}
        result |= validate(judgements, spec.bootstrap_samples, run.seed)
        result |= {f"valid_{name}": value for name, value in ensemble.items()}
        result |= _write_tables(run.path / "validation.json", judgements, ensemble, spec.bootstrap_samples, run.seed)
        curves = {"val/loss": result["valid_loss"], "val/accuracy": result["valid_accuracy"]}
        session.write_metrics(total, curves | {f"val/{name}": value for name, value in ensemble.items()})
    status.stage("normalizing")
    result |= _normalize(model, prompts, references, spec, scoring)
    status.stage("saving")
    if lora:
        lora.publish(run)
    publish_checkpoint(run, model, tokenizer)
    return {name: round(value, 6) + 0.0 if isinstance(value, float) else value for name, value in result.items()}


def _read_references(path: Path, tokenizer: Any, context: int) -> list[RankedPrompt]:
    """The demonstrations, each as a prompt with one completion."""
    rows = read_rows(path, "demonstrations")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    completions = encode_completions(tokenizer, [row["completion"] for row in rows])
    references = [RankedPrompt(p, [c], []) for p, c in zip(prompts, completions, strict=True)]
    check_context(path.name, [reference.longest for reference in references], context)
    return references


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


def _ensemble(prompts: list[RankedPrompt], by_head: list[list[list[float]]]) -> dict[str, float]:
    """The figures of the heads over all rankings, but for the accuracy, which is the reward model's."""
    rankings = [
        [(scores[completion], rank) for completion, rank in ranking]
        for prompt, scores in zip(prompts, by_head, strict=True)
        for ranking in prompt.rankings
    ]
    return {name: value for name, value in ensemble_figures(rankings).items() if name != "accuracy"}


def _write_tables(
    path: Path, judgements: Sequence[Judgement], ensemble: Mapping[str, float], bootstrap_samples: int, seed: int
) -> dict[str, float]:
    """validation.json: accuracy and log loss by group, the calibration, and an ensemble's own figures.

    Returns the overall figures of it.
    """
    groups = by_group(judgements, bootstrap_samples, seed)
    bins = reliability([judgement.ranking for judgement in judgements])
    error = expected_calibration_error(bins)
    tables: dict[str, Any] = {"groups": groups, "calibration": {"expected_calibration_error": error, "bins": bins}}
    if ensemble:
        tables["ensemble"] = {"accuracy": groups[0]["accuracy"], **ensemble}

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
    people = [scores[0] for scores in score_by_head(model, references, **scoring)]
    means = [statistics.fmean(of_head) for of_head in zip(*people, strict=True)]  # of each head: they share no zero
    mean = statistics.fmean(means)
    scale = std if spec.unit_std and std > 0 else 1.0
    model.normalize(means, scale)
    after = statistics.fmean(scores[0] for scores in score_prompts(model, references, **scoring))
    return {
        "demonstration_mean": after,
        "reward_bias": model.reward_bias,
        "completion_mean": (statistics.fmean(ranked) - mean) / scale,
        "completion_std": std / scale,
    }


if __name__ == "__main__":
    raise SystemExit(main())
