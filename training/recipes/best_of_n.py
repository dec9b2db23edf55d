"""Best of n: for every prompt the one of n samples that the reward model likes best (Nakano et al. 2021).

The mildest optimization against a reward model, and the measure of any other: its distance from the policy is known
without an estimate, KL = log n - (n-1)/n nats (Stiennon et al. 2020, appendix G.3), if no two samples are alike; with
repeats it is an upper bound. samples.jsonl gets one row of kind completions a prompt: the best, which of the n it was,
its reward, and the mean reward of the n, which is what a random one of them gets; where the reward model is an
ensemble, also the spread of its heads on the best one. Batches, seeds and resuming are those of sample: a resumed run
drops a torn batch and writes the same rows again.

    python -m training.recipes.best_of_n --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.best_of_n --run-dir var/artifacts/runs/<run id>
"""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import BestOfNSpec, SampleSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import check_same_tokens
from training.rlhf.engines import DecoderEngine, Sampled
from training.rlhf.engines.journal import completion_line, keep_whole_batches, write_batches
from training.rlhf.ensemble import spread
from training.rlhf.examples import Example
from training.rlhf.rollout import score_by_head
from training.rlhf.scalar_head import ScalarModel, load_scalar_model
from training.rlhf.session import Session
from training.rlhf.tokens import encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("best_of_n", best_of_n, arguments)


def best_of_n(run: RunDir, spec: BestOfNSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    engine = DecoderEngine(run.parent("policy"), _sampling(spec), session.device)
    check_same_tokens(engine.tokenizer, run.parent("reward_model"))
    reward_model = load_scalar_model(run.parent("reward_model"), engine.tokenizer, session.device, spec.precision)
    path = run.input("prompts")
    rows = read_rows(path, "prompts")
    engine.check(path.name, [row["prompt"] for row in rows])

    per_batch = max(1, spec.batch_size // spec.n)
    batches = -(-len(rows) // per_batch)
    first = keep_whole_batches(run.samples, per_batch, len(rows))
    status.stage("sampling")

    def lines_of(batch: int) -> list[str]:
        chosen = rows[batch * per_batch : (batch + 1) * per_batch]
        sampled = engine.sample([row["prompt"] for row in chosen], spec.n, run.seed * 1_000_003 + batch)
        return _lines(chosen, sampled, score(engine, reward_model, [row["prompt"] for row in chosen], sampled, spec))

    def done(batches: int) -> None:
        status.progress(min(batches * per_batch, len(rows)), len(rows), "prompt")

    write_batches(session, run.samples, range(first, batches), lines_of, done)
    return _summary(run.samples, spec.n)


def kl_of_best_of_n(n: int) -> float:
    """Nats between the best of n and the policy itself, for n samples of which no two are alike."""
    return math.log(n) - (n - 1) / n


def score(
    engine: DecoderEngine,
    reward_model: ScalarModel,
    prompts: Sequence[str],
    sampled: Sequence[Sampled],
    spec: BestOfNSpec,
) -> list[list[list[float]]]:
    """The rewards of the n samples of each prompt: [len(prompts)][n][heads]. One cut off is read as if it had ended."""
    encoded = encode_prompts(engine.tokenizer, prompts)
    examples = [
        Example(encoded[position // spec.n] + one.token_ids, len(encoded[position // spec.n]))
        for position, one in enumerate(sampled)
    ]
    rewards = score_by_head(
        reward_model,
        examples,
        torch.tensor([one.finished for one in sampled]),
        engine.tokenizer.eos_token_id,
        spec.micro_batch_tokens,
    ).tolist()
    return [rewards[start : start + spec.n] for start in range(0, len(rewards), spec.n)]


def _sampling(spec: BestOfNSpec) -> SampleSpec:
    return SampleSpec(
        samples_per_prompt=spec.n,
        temperature=spec.temperature,
        response_length=spec.response_length,
        max_prompt_tokens=spec.max_prompt_tokens,
        batch_size=spec.batch_size,
        decode_batch_size=spec.decode_batch_size,
    )


def _lines(rows: list[dict[str, Any]], sampled: Sequence[Sampled], rewards: list[list[list[float]]]) -> list[str]:
    lines = []
    for position, (row, by_head) in enumerate(zip(rows, rewards, strict=True)):
        of_prompt = [statistics.fmean(heads) for heads in by_head]
        best = max(range(len(of_prompt)), key=of_prompt.__getitem__)
        facts = {"reward": round(of_prompt[best], 6), "mean_reward": round(statistics.fmean(of_prompt), 6)}
        if len(by_head[best]) > 1:
            facts["spread"] = round(spread(by_head[best]), 6)
        lines.append(completion_line(row, sampled[position * len(of_prompt) + best], best, policy="policy", **facts))
    return lines


def _summary(path: Path, n: int) -> dict[str, Any]:
    rows = read_rows(path, "completions")
    spreads = [row["spread"] for row in rows if "spread" in row]
    result = {
        "prompts": len(rows),
        "n": n,
        "reward_best": round(statistics.fmean(row["reward"] for row in rows), 6),
        "reward_random": round(statistics.fmean(row["mean_reward"] for row in rows), 6),
        "kl": round(kl_of_best_of_n(n), 6),
        "finished_share": round(statistics.fmean(row["finished"] for row in rows), 4),
        "mean_length": round(statistics.fmean(len(row["token_ids"]) for row in rows), 2),
    }
    return result | ({"spread_best": round(statistics.fmean(spreads), 6)} if spreads else {})


if __name__ == "__main__":
    raise SystemExit(main())
