"""PPO and PPO-ptx against a reward model (Ouyang et al. 2022, section 3.5 and appendix C.3, C.4).

An episode is one response, with the score at its last token; every token pays kl_coef times its log-ratio to the policy
that training started from. The value model starts as the reward model, head included (of an ensemble the mean head, as
the score is the mean of the heads). With ptx_coef > 0 the gradient of a language-model loss on pretraining text is
added in every step. The checkpoint holds the averaged weights.

Deviations from the paper, and choices where it is silent:
- GAE with lam 0.95, advantages whitened over the batch, a clipped value loss, gradient norms clipped at 1.
- Both losses are means per token, so ptx_coef is not on the paper's scale (see PpoSpec and policy/grad_norm_ratio).
- A completion that does not end itself is scored as if it had, less a penalty.
- The average of the weights moves at every optimizer step; value-only iterations and a KL budget are possible.
- `samples_per_prompt` above 1 takes several completions of a prompt, which is then computed once for all of them. The
  paper has one completion per prompt.

    python -m training.recipes.ppo --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.ppo --run-dir var/artifacts/runs/<run id>
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.contract.execute import StopFlag, execute
from training.contract.metrics import read_metrics, truncate_after
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import PpoSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import (
    check_same_tokens,
    context_length,
    default_block_size,
    load_causal_lm,
    load_tokenizer,
)
from training.rlhf.lora import Lora, add_lora
from training.rlhf.packing import endless_order, pack_blocks
from training.rlhf.ppo_trainer import Models, PpoTrainer
from training.rlhf.rollout import Rollout
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.session import Session, publish_checkpoint
from training.rlhf.targets import advantages_of
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
    tokenizer = load_tokenizer(run.parent("policy"))
    models, lora = _load(run, spec, tokenizer, session.device)
    rows, prompts = _read_prompts(run, spec, tokenizer, models.policy)
    blocks = _pretraining_blocks(run, spec, tokenizer, models.policy) if spec.ptx_coef > 0 else None
    session.shard(models.policy, models.value, models.reference, models.reward_model)
    trainer = PpoTrainer(models, spec, run.seed)
    first = session.resume(**trainer.parts)
    if session.is_first:
        truncate_after(run.samples, first)
    metrics: dict[str, float] = read_metrics(run.metrics)[0][-1] if first > 0 else {}

    for iteration in range(first, spec.iterations):
        # Asked before an iteration and not after one, so that a resumed run that was at its end stays there.
        if spec.target_kl_stop is not None and metrics and metrics["objective/kl"] > spec.target_kl_stop:
            break
        lr = trainer.set_rates(iteration)
        status.stage("rollout")
        count = spec.prompts_per_iteration
        order = endless_order(len(prompts), run.seed, iteration * count, count)
        rollout = trainer.roll_out([prompts[index] for index in order], iteration)
        targets, metrics = advantages_of(rollout, spec, trainer.kl.kl_coef)
        status.stage("update")
        texts = partial(_text_rows, blocks, spec, run.seed, session.device)
        averages = trainer.update(iteration, rollout, targets, texts)
        trainer.update_kl_coef(iteration, metrics["objective/kl"])

        metrics |= {"lr": lr, "episode": (iteration + 1) * spec.batch_size, **averages}
        session.write_metrics(iteration + 1, metrics)
        if session.is_first and spec.samples_every and iteration % spec.samples_every == 0:
            _show_samples(run, iteration + 1, [rows[index] for index in order], rollout, tokenizer)
        session.after_step(iteration + 1, spec.iterations, "iteration")

    status.stage("saving")
    with trainer.ema.averaged():
        if lora:
            lora.publish(run)
        publish_checkpoint(run, models.policy, tokenizer)
    return _result(metrics)


def _load(run: RunDir, spec: PpoSpec, tokenizer: Any, device: torch.device) -> tuple[Models, Lora | None]:
    """The value model starts as the reward model, head included. With adapters, policy and reference share weights."""
    check_same_tokens(tokenizer, run.parent("reward_model"))
    policy = load_causal_lm(run.parent("policy"), tokenizer, device, spec.precision)
    lora = add_lora(policy, spec, run.parents["policy"]["path"])
    reference = (
        lora.without()
        if lora
        else load_causal_lm(run.parent("policy"), tokenizer, device, spec.precision).requires_grad_(False)
    )
    value, reward = (
        load_scalar_model(run.parent("reward_model"), tokenizer, device, spec.precision, ensemble)
        for ensemble in (False, True)
    )
    add_lora(value.classifier, spec, run.parents["reward_model"]["path"])
    models = Models(
        policy=policy,
        value=value,
        reference=reference,
        reward_model=reward.requires_grad_(False),
        stop_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return models, lora


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


def _text_rows(blocks: Tensor | None, spec: PpoSpec, seed: int, device: torch.device, step: int) -> Tensor | None:
    if blocks is None:
        return None
    count = spec.ptx_rows_per_minibatch
    return blocks[endless_order(len(blocks), seed + 1, step * count, count)].to(device)


def _show_samples(run: RunDir, step: int, rows: list[dict[str, Any]], rollout: Rollout, tokenizer: Any) -> None:
    kl = (rollout.logprobs - rollout.ref_logprobs).sum(1)
    with run.samples.open("a", encoding="utf-8") as out:
        samples = len(rollout.examples) // len(rows)
        for index in range(min(SHOWN_SAMPLES, len(rollout.examples))):
            example, row = rollout.examples[index], rows[index // samples]
            sample = {
                "step": step,
                "prompt_id": row["prompt_id"],
                "prompt": row["prompt"],
                "completion": decode_completion(tokenizer, example.response),
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
