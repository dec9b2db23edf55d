"""Measure one policy: loss on held-out texts, KL to a reference, mean reward, benchmark tasks.

The loss shows the alignment tax (Ouyang et al. 2022, section 4.1): what fine-tuning costs on text. KL and reward are
measured on samples at the given temperature, one or more per held-out prompt; KL is the mean over samples of the summed
log-ratio, in nats per completion. A completion that did not end itself is scored as if it had. Tasks are questions with
known answers, of a dataset or by name, asked by lm-evaluation-harness where it is installed; answers.jsonl says what
came of each question.

    python -m training.recipes.evaluate --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.evaluate --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Sequence
from importlib.metadata import version
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
from training.rlhf.harness import require_harness
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
    if not any(map(run.has_input, ("texts", "prompts", "questions"))) and not spec.tasks:
        raise RunError("The evaluate run has no texts, prompts, questions or tasks, so there is nothing to measure.")
    status.stage("loading")
    questions = _questions(run, spec)
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
    if questions:
        status.stage("tasks")
        # The harness asks one thing after the other: process 0 does it alone.
        answers: dict[str, float | str] = {}
        if session.is_first:
            with distributed.alone():
                answers = _ask(questions, run, spec, session, tokenizer, policy)
        result.update(distributed.from_first(answers))
    session.write_metrics(
        0, {f"eval/{name}": float(value) for name, value in result.items() if not isinstance(value, str)}
    )
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


def _questions(run: RunDir, spec: EvaluateSpec) -> list[tuple[dict[str, Any], bool]]:
    """Loaded tasks, and whether their questions are asked in the format of prompts: those of the dataset always are."""
    if not run.has_input("questions") and not spec.tasks:
        return []
    require_harness()
    from training.rlhf.harness import tasks

    found = []
    if run.has_input("questions"):
        rows = read_rows(run.input("questions"), "questions")
        found.append((tasks.of_questions(rows, spec.response_length), True))
    if spec.tasks:
        found.append((tasks.by_name(spec.tasks, run.root / "tasks"), spec.apply_chat_template))
    names = [name for loaded, _ in found for name in loaded["tasks"]]
    if twice := {name for name in names if names.count(name) > 1}:
        raise RunError(
            f"The task '{min(twice)}' is in the dataset and among the tasks by name; rename it in the dataset."
        )
    return found


def _ask(
    questions: list[tuple[dict[str, Any], bool]],
    run: RunDir,
    spec: EvaluateSpec,
    session: Session,
    tokenizer: Any,
    policy: PreTrainedModel,
) -> dict[str, float | str]:
    """The figures of all tasks, and the versions of what asked: the harness, and the task files by their digest."""
    from training.rlhf.harness import tasks
    from training.rlhf.harness.model import PolicyLM

    def after_batch(done: int, total: int) -> None:
        session.status.progress(done, total, "request")
        if session.stop.requested:
            raise RunStopped

    model = PolicyLM(
        policy,
        tokenizer,
        max_tokens=spec.micro_batch_tokens,
        batch_size=spec.batch_size,
        seed=run.seed,
        after_batch=after_batch,
    )
    facts: dict[str, float | str] = {"lm_eval": version("lm_eval")}
    if spec.tasks:
        facts["task_files"] = tasks.digest_of(run.root / "tasks")
    with (run.path / "answers.jsonl").open("w", encoding="utf-8") as out:
        for loaded, as_chat in questions:
            outcome = tasks.measure(loaded, model, num_fewshot=spec.num_fewshot, limit=spec.limit, as_chat=as_chat)
            facts.update(outcome.numbers())
            out.writelines(outcome.lines())
    return facts


if __name__ == "__main__":
    raise SystemExit(main())
