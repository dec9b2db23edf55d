"""Sample K completions for every prompt (Ouyang et al. 2022, section 3.5: K between 4 and 9, temperature 1).

They come from the parent `policy`, from several parents as `samples_by_policy` shares them out, from a server, or from
vLLM (training/rlhf/engines). Rows of kind completions are appended to samples.jsonl in the order of the prompts, each
with the parent it came from; our decoder adds the token ids and the exact log-probabilities under that parent. The
randomness of a batch is a function of the seed and its number, so a resumed run drops a torn batch and writes the same
rows again (a server's answers may differ; none is lost or there twice). There is no other state.

    python -m training.recipes.sample --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.sample --run-dir var/artifacts/runs/<run id>
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import SampleSpec
from training.contract.status import StatusWriter
from training.rlhf.engines import Engine, Sampled, open_engine
from training.rlhf.engines.journal import completion_line, keep_whole_batches, write_batches
from training.rlhf.session import Session


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("sample", sample, arguments)


def sample(run: RunDir, spec: SampleSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    path = run.input("prompts")
    rows = read_rows(path, "prompts")
    engines = {policy: open_engine(run, spec, session, policy) for policy in spec.shares}  # all in memory at once
    for engine in engines.values():
        engine.check(path.name, [row["prompt"] for row in rows])

    per_batch = max(1, spec.batch_size // spec.samples_per_prompt)
    batches = -(-len(rows) // per_batch)
    first = keep_whole_batches(run.samples, per_batch * spec.samples_per_prompt, len(rows) * spec.samples_per_prompt)
    status.stage("sampling")

    def lines_of(batch: int) -> list[str]:
        chosen = rows[batch * per_batch : (batch + 1) * per_batch]
        seed = run.seed * 1_000_003 + batch * len(engines)
        return _lines(chosen, sample_batch(engines, spec, [row["prompt"] for row in chosen], seed), spec)

    def done(batches: int) -> None:
        prompts = min(batches * per_batch, len(rows))
        status.progress(prompts * spec.samples_per_prompt, len(rows) * spec.samples_per_prompt, "completion")

    write_batches(session, run.samples, range(first, batches), lines_of, done)
    return _summary(run.samples, len(rows))


def sample_batch(
    engines: Mapping[str, Engine], spec: SampleSpec, prompts: Sequence[str], seed: int
) -> list[list[tuple[str, Sampled]]]:
    """For each prompt its K completions, each with the name of the policy: those of one policy next to each other."""
    found: list[list[tuple[str, Sampled]]] = [[] for _ in prompts]
    for number, (policy, share) in enumerate(spec.shares.items()):
        sampled = engines[policy].sample(prompts, share, seed + number)
        for position, completion in enumerate(sampled):
            found[position // share].append((policy, completion))
    return found


def _lines(rows: list[dict[str, Any]], found: list[list[tuple[str, Sampled]]], spec: SampleSpec) -> list[str]:
    lines = []
    for row, completions in zip(rows, found, strict=True):
        for number, (policy, sampled) in enumerate(completions):
            parent = {} if spec.engine == "openai" else {"policy": policy}  # a server's model is no parent
            lines.append(completion_line(row, sampled, number, **parent))
    return lines


def _summary(path: Path, prompts: int) -> dict[str, Any]:
    rows = read_rows(path, "completions")
    result = {
        "prompts": prompts,
        "completions": len(rows),
        "finished_share": round(sum(row["finished"] for row in rows) / len(rows), 4),
    }
    tokens = sum(len(row["token_ids"]) for row in rows)
    return result | ({"mean_length": round(tokens / len(rows), 2)} if tokens else {})


if __name__ == "__main__":
    raise SystemExit(main())
