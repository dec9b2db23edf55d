"""Measure one policy: loss on held-out texts, KL to a reference, mean reward.

The loss shows the alignment tax (Ouyang et al. 2022, section 4.1): what fine-tuning costs on text. KL and reward are
measured on samples at the given temperature, one or more per held-out prompt; KL is the mean over samples of the summed
log-ratio, in nats per completion. A completion that did not end itself is scored as if it had.

    python -m training.recipes.evaluate --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.evaluate --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from training.contract.execute import RunStopped, StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir, RunError
from training.contract.specs import EvaluateSpec
from training.contract.status import StatusWriter
from training.rlhf import distributed
from training.rlhf.causal_lm import (
    check_same_tokens,
    context_length,
    default_block_size,
    load_causal_lm,
    load_tokenizer,
    response_logprobs,
    text_loss,
)
from training.rlhf.decode import Decoded, uniform_numbers
from training.rlhf.examples import Example, batches
from training.rlhf.packing import pack_blocks
from training.rlhf.rollout import episodes, score_episodes
from training.rlhf.scalar_head import load_scalar_model
from training.rlhf.session import Session
from training.rlhf.shared_decoding import decode_together
from training.rlhf.shares import my_blocks
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_documents, encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("evaluate", evaluate, arguments)


def evaluate(run: RunDir, spec: EvaluateSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    if not run.has_input("texts") and not run.has_input("prompts"):
        raise RunError("The evaluate run has neither texts nor prompts, so there is nothing to measure.")
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    policy = load_causal_lm(run.parent("policy"), tokenizer, session.device, spec.precision).eval()
    result: dict[str, Any] = {}
    session.resume()  # nothing is kept between starts: an evaluation begins anew

    if run.has_input("texts"):
        status.stage("texts")
        texts = [row["text"] for row in read_rows(run.input("texts"), "texts")]
        size = spec.block_size or default_block_size(policy)
        blocks = pack_blocks(encode_documents(tokenizer, texts), size, spec.max_blocks)
        result["lm_loss"] = lm_loss(policy, blocks, spec.micro_batch_tokens)
    if run.has_input("prompts"):
        status.stage("prompts")
        examples, decoded = _sample(run, spec, session, tokenizer, policy)
        result["completions"] = len(examples)
        result["finished_share"] = float(decoded.finished.float().mean())
        result["mean_length"] = float(decoded.lengths.float().mean())
        if run.has_parent("reference"):
            check_same_tokens(tokenizer, run.parent("reference"))
            reference = load_causal_lm(run.parent("reference"), tokenizer, session.device, spec.precision).eval()
            result["kl"] = mean_log_ratio(policy, reference, examples, spec)
        if run.has_parent("reward_model"):
            check_same_tokens(tokenizer, run.parent("reward_model"))
            reward_model = load_scalar_model(run.parent("reward_model"), tokenizer, session.device, spec.precision)
            rewards = score_episodes(
                reward_model, examples, decoded.finished, tokenizer.eos_token_id, spec.micro_batch_tokens
            )
            result["reward"] = float(rewards.mean())
    numbers = {f"eval/{name}": float(value) for name, value in result.items()}
    session.write_metrics(0, numbers)
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in result.items()}


@torch.no_grad()
def lm_loss(policy: PreTrainedModel, blocks: Tensor, max_tokens: int) -> float:
    """Mean loss in nats per token over packed rows of text."""
    parts = my_blocks(blocks, max_tokens)
    losses = [text_loss(policy, part.to(policy.device)).item() * share for part, share in parts]
    return distributed.sum_numbers(sum(losses))[0]


def _sample(
    run: RunDir, spec: EvaluateSpec, session: Session, tokenizer: Any, policy: PreTrainedModel
) -> tuple[list[Example], Decoded]:
    path = run.input("prompts")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in read_rows(path, "prompts")])
    check_prompt_lengths(path.name, prompts, spec.max_prompt_tokens)
    check_context(path.name, [len(ids) + spec.response_length for ids in prompts], context_length(policy))
    total = len(prompts) * spec.samples_per_prompt

    def between_batches(done: int) -> None:
        session.status.progress(done, total, "completion")
        if session.asked_to_stop():
            raise RunStopped

    decoded = decode_together(
        policy,
        prompts,
        samples=spec.samples_per_prompt,
        uniform=uniform_numbers(total, spec.response_length, run.seed * 1_000_003),
        temperature=spec.temperature,
        stop_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        batch_size=spec.batch_size,
        between_batches=between_batches,
    )
    repeated = [ids for ids in prompts for _ in range(spec.samples_per_prompt)]
    return episodes(repeated, decoded), decoded


@torch.no_grad()
def mean_log_ratio(
    policy: PreTrainedModel, reference: PreTrainedModel, examples: list[Example], spec: EvaluateSpec
) -> float:
    """log pi - log pi_ref in nats, summed over a completion's tokens; the mean over completions estimates the KL."""
    total = 0.0
    for rows in batches(examples, spec.micro_batch_tokens, policy.device):
        ours = response_logprobs(policy, rows.packed, spec.temperature)
        theirs = response_logprobs(reference, rows.packed, spec.temperature)
        total += (ours - theirs).double().sum().item()
    return distributed.sum_numbers(total)[0] / len(examples)


if __name__ == "__main__":
    raise SystemExit(main())
