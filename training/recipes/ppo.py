"""PPO and PPO-ptx against a reward model (Ouyang et al. 2022, section 3.5 and appendix C.3, C.4).

One prompt, one response, the score at its last token; every token pays kl_coef times its log-ratio to the policy that
training started from. The value model starts as the reward model, head included. With ptx_coef > 0 the gradient of a
language-model loss on pretraining text is added in every step. The checkpoint holds the averaged weights.

Deviations from the paper, and choices where it is silent:
- GAE with lam 0.95, advantages whitened over the batch, a clipped value loss, gradient norms clipped at 1.
- Both losses are means per token, so ptx_coef is not on the paper's scale (see PpoSpec and policy/grad_norm_ratio).
- A completion that does not end itself is scored as if it had, less a penalty.
- The average of the weights moves at every optimizer step; value-only iterations and a KL budget are possible.

    python -m training.recipes.ppo --run-dir var/artifacts/runs/<run id>
    OMP_NUM_THREADS=8 python -m training.recipes.ppo --run-dir .
"""

import json
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from training.contract.execute import StopFlag, execute
from training.contract.metrics import read_metrics, truncate_after
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import PpoSpec
from training.contract.status import StatusWriter
from training.rlhf.advantages import gae, whiten
from training.rlhf.causal_lm import (
    check_same_tokens,
    context_length,
    default_block_size,
    load_causal_lm,
    load_tokenizer,
)
from training.rlhf.decode import decode, uniform_numbers
from training.rlhf.ema import Ema
from training.rlhf.kl import AdaptiveKl, FixedKl
from training.rlhf.optim import adamw
from training.rlhf.packing import endless_order, pack_blocks, shuffled
from training.rlhf.ppo_update import Averages, Targets, policy_step, value_step
from training.rlhf.rewards import apply_eos_rule, token_rewards
from training.rlhf.rollout import Minibatch, Rollout, collect, cut_minibatches, episodes, score_episodes
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.schedules import ppo_warmup_factor, set_lr
from training.rlhf.session import Session, publish_checkpoint
from training.rlhf.tokens import (
    check_context,
    check_prompt_lengths,
    decode_completion,
    encode_documents,
    encode_prompts,
)

SHOWN_SAMPLES = 8  # texts per entry in samples.jsonl


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("ppo", ppo, arguments)


def ppo(run: RunDir, spec: PpoSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    device = session.device
    tokenizer = load_tokenizer(run.parent("policy"))
    policy = load_causal_lm(run.parent("policy"), tokenizer, device, spec.precision)
    reference = load_causal_lm(run.parent("policy"), tokenizer, device, spec.precision).requires_grad_(False)
    check_same_tokens(tokenizer, run.parent("reward_model"))
    reward_model = load_scalar_model(run.parent("reward_model"), tokenizer, device, spec.precision).requires_grad_(
        False
    )
    value = load_scalar_model(run.parent("reward_model"), tokenizer, device, spec.precision)
    rows, prompts = _read_prompts(run, spec, tokenizer, policy)
    blocks = _pretraining_blocks(run, spec, tokenizer, policy) if spec.ptx_coef > 0 else None

    policy_optimizer, value_optimizer = adamw(policy, spec.lr, spec), adamw(value, spec.value_lr, spec)
    ema = Ema(policy, spec.ema_decay)
    kl_controller = (
        AdaptiveKl(spec.kl_coef, spec.kl_target, spec.kl_horizon)
        if spec.kl_controller == "adaptive"
        else FixedKl(spec.kl_coef)
    )
    first = session.resume(
        policy=policy,
        value=value,
        policy_optimizer=policy_optimizer,
        value_optimizer=value_optimizer,
        ema=ema,
        kl_controller=kl_controller,
    )
    truncate_after(run.samples, first)
    minibatches_per_epoch = spec.batch_size // spec.minibatch_size
    metrics: dict[str, float] = read_metrics(run.metrics)[0][-1] if first > 0 else {}

    for iteration in range(first, spec.iterations):
        # Asked before an iteration and not after one, so that a resumed run that was at its end stays there.
        if spec.target_kl_stop is not None and metrics and metrics["objective/kl"] > spec.target_kl_stop:
            break
        # 1. Learning rates: warm-up over the first iterations; the policy's begins once the value model is warm.
        value_only = iteration < spec.value_pretrain_iterations
        policy_iteration = max(0, iteration - spec.value_pretrain_iterations)
        lr = spec.lr * ppo_warmup_factor(policy_iteration, spec.warmup_iterations)
        set_lr(policy_optimizer, lr)
        set_lr(value_optimizer, spec.value_lr * ppo_warmup_factor(iteration, spec.warmup_iterations))

        # 2. Rollout: one completion per prompt, scored; log-probs and values by the passes the update will make.
        status.stage("rollout")
        order = endless_order(len(prompts), run.seed, iteration * spec.batch_size, spec.batch_size)
        batch = [prompts[index] for index in order]
        decoded = decode(
            policy,
            batch,
            samples=1,
            uniform=uniform_numbers(spec.batch_size, spec.response_length, run.seed * 1_000_003 + iteration),
            temperature=spec.temperature,
            stop_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            batch_size=spec.decode_batch_size,
        )
        examples = episodes(batch, decoded)

        def cut(epoch: int, examples: list[Any] = examples, iteration: int = iteration) -> list[Minibatch]:
            order = shuffled(spec.batch_size, run.seed + 2, iteration * spec.num_ppo_epochs + epoch)
            return cut_minibatches(examples, order, spec.minibatch_size, spec.micro_batch_tokens, device)

        minibatches = cut(0)
        scores = score_episodes(
            reward_model, examples, decoded.finished, tokenizer.eos_token_id, spec.micro_batch_tokens
        )
        rollout = collect(
            examples,
            decoded,
            minibatches,
            policy,
            reference,
            value,
            scores,
            spec.temperature,
            from_sampler=spec.old_logprobs == "sampler",
        )

        # 3. Rewards and advantages.
        targets, metrics = advantages_of(rollout, spec, kl_controller.kl_coef)
        metrics |= {"lr": lr, "episode": (iteration + 1) * spec.batch_size}

        # 4. Update: one optimizer step per minibatch, for the policy and for the value model.
        status.stage("update")
        averages = Averages()
        for epoch in range(spec.num_ppo_epochs):
            for number, minibatch in enumerate(minibatches if epoch == 0 else cut(epoch)):
                step = (iteration * spec.num_ppo_epochs + epoch) * minibatches_per_epoch + number
                if not value_only:
                    text = _text_rows(blocks, spec, run.seed, step)
                    policy_step(
                        policy,
                        policy_optimizer,
                        rollout,
                        targets,
                        minibatch,
                        None if text is None else text.to(device),
                        spec,
                        averages,
                        measure_ratio=epoch == 0 and number == 0,
                    )
                    ema.update()
                value_step(value, value_optimizer, rollout, targets, minibatch, spec, averages)
        if not value_only:
            kl_controller.update(metrics["objective/kl"], spec.batch_size)

        # 5. Report and save.
        metrics |= averages.means()
        session.write_metrics(iteration + 1, metrics)
        if spec.samples_every and iteration % spec.samples_every == 0:
            _show_samples(run, iteration + 1, [rows[index] for index in order], rollout, tokenizer)
        session.after_step(iteration + 1, spec.iterations, "iteration")

    status.stage("saving")
    with ema.averaged():
        publish_checkpoint(run, policy, tokenizer)
    return _result(metrics)


def advantages_of(rollout: Rollout, spec: PpoSpec, kl_coef: float) -> tuple[Targets, dict[str, float]]:
    """What the update moves towards, and what the rollout tells about the policy."""
    scores = apply_eos_rule(rollout.scores, rollout.finished, spec.missing_eos_penalty, spec.missing_eos_score)
    rewards, kl = token_rewards(scores, rollout.logprobs, rollout.ref_logprobs, rollout.lengths, kl_coef)
    advantages, returns = gae(rewards, rollout.values, rollout.lengths, spec.gamma, spec.lam)
    inside = rollout.inside
    if spec.whiten_advantages:
        advantages[inside] = whiten(advantages[inside])
    kl_per_episode = kl.sum(1).mean()
    non_score_reward = -kl_coef * kl_per_episode
    unexplained = (returns - rollout.values)[inside].var() / returns[inside].var().clamp_min(1e-12)
    metrics = {
        "objective/kl": kl_per_episode,
        "objective/entropy": -rollout.logprobs.sum(1).mean(),
        "objective/scores": rollout.scores.mean(),
        "objective/non_score_reward": non_score_reward,
        "objective/rlhf_reward": scores.mean() + non_score_reward,
        "val/num_eos_tokens": rollout.finished.sum(),
        "val/response_length": rollout.lengths.float().mean(),
        "value/explained_variance": 1 - unexplained,
    }
    values = {name: float(value) for name, value in metrics.items()}
    return Targets(advantages, returns), values | {"objective/kl_coef": kl_coef}


def _read_prompts(
    run: RunDir, spec: PpoSpec, tokenizer: Any, policy: PreTrainedModel
) -> tuple[list[dict[str, Any]], list[list[int]]]:
    path = run.input("prompts")
    rows = read_rows(path, "prompts")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    check_prompt_lengths(path.name, prompts, spec.max_prompt_tokens)
    check_context(path.name, [len(ids) + spec.response_length for ids in prompts], context_length(policy))
    return rows, prompts


def _pretraining_blocks(run: RunDir, spec: PpoSpec, tokenizer: Any, policy: PreTrainedModel) -> Tensor:
    texts = [row["text"] for row in read_rows(run.input("texts"), "texts")]
    return pack_blocks(encode_documents(tokenizer, texts), spec.ptx_block_size or default_block_size(policy))


def _text_rows(blocks: Tensor | None, spec: PpoSpec, seed: int, step: int) -> Tensor | None:
    if blocks is None:
        return None
    count = spec.ptx_rows_per_minibatch
    return blocks[endless_order(len(blocks), seed + 1, step * count, count)]


def _show_samples(run: RunDir, step: int, rows: list[dict[str, Any]], rollout: Rollout, tokenizer: Any) -> None:
    kl = (rollout.logprobs - rollout.ref_logprobs).sum(1)
    with run.samples.open("a", encoding="utf-8") as out:
        for index in range(min(SHOWN_SAMPLES, len(rows))):
            example = rollout.examples[index]
            sample = {
                "step": step,
                "prompt_id": rows[index]["prompt_id"],
                "prompt": rows[index]["prompt"],
                "completion": decode_completion(tokenizer, example.ids[example.prompt_length :]),
                "finished": bool(rollout.finished[index]),
                "score": round(float(rollout.scores[index]), 4),
                "kl": round(float(kl[index]), 4),
            }
            out.write(json.dumps(sample, ensure_ascii=False) + "\n")


def _result(metrics: dict[str, float]) -> dict[str, Any]:
    names = {"kl": "objective/kl", "score": "objective/scores", "episodes": "episode", "entropy": "objective/entropy"}
    return {name: round(metrics[key], 4) for name, key in names.items() if key in metrics}


if __name__ == "__main__":
    raise SystemExit(main())
