"""Sample K completions for every prompt (Ouyang et al. 2022, section 3.5: K between 4 and 9, temperature 1).

Rows of kind completions are appended to samples.jsonl in the order of the prompts, with the token ids and the exact
log-probabilities under the policy. The randomness of a batch is a function of the seed and its number, so a resumed
run drops a torn batch and writes the same rows again. There is no other state.

    python -m training.recipes.sample --run-dir var/artifacts/runs/<run id>
    OMP_NUM_THREADS=8 python -m training.recipes.sample --run-dir .
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.contract.execute import RunStopped, StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir
from training.contract.specs import SampleSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import context_length, load_causal_lm, load_tokenizer
from training.rlhf.decode import Decoded, decode, uniform_numbers
from training.rlhf.session import Session
from training.rlhf.tokens import check_context, check_prompt_lengths, decode_completion, encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("sample", sample, arguments)


def sample(run: RunDir, spec: SampleSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    tokenizer = load_tokenizer(run.parent("policy"))
    model = load_causal_lm(run.parent("policy"), tokenizer, session.device, spec.precision).eval()
    path = run.input("prompts")
    rows = read_rows(path, "prompts")
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    check_prompt_lengths(path.name, prompts, spec.max_prompt_tokens)
    check_context(path.name, [len(ids) + spec.response_length for ids in prompts], context_length(model))

    per_batch = max(1, spec.batch_size // spec.samples_per_prompt)
    batches = -(-len(rows) // per_batch)
    first = keep_whole_batches(run.samples, per_batch * spec.samples_per_prompt, len(rows) * spec.samples_per_prompt)
    status.stage("sampling")
    with run.samples.open("a", encoding="utf-8") as out:
        for batch in range(first, batches):
            chosen = range(batch * per_batch, min((batch + 1) * per_batch, len(rows)))
            uniform = uniform_numbers(
                len(chosen) * spec.samples_per_prompt, spec.response_length, run.seed * 1_000_003 + batch
            )
            decoded = decode(
                model,
                [prompts[index] for index in chosen],
                samples=spec.samples_per_prompt,
                uniform=uniform,
                temperature=spec.temperature,
                stop_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                batch_size=spec.batch_size,
            )
            out.writelines(_lines([rows[index] for index in chosen], decoded, spec, tokenizer))
            out.flush()
            status.progress(chosen.stop * spec.samples_per_prompt, len(rows) * spec.samples_per_prompt, "completion")
            if stop.requested:
                raise RunStopped
    return _summary(run.samples, len(rows))


def keep_whole_batches(path: Path, batch_rows: int, all_rows: int) -> int:
    """Cut samples.jsonl after its last whole batch and return the number of batches that are there."""
    if not path.exists():
        return 0
    ends = [0]
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                ends.append(ends[-1] + len(line))
    written = len(ends) - 1
    keep = written if written == all_rows else written - written % batch_rows
    os.truncate(path, ends[keep])
    return -(-keep // batch_rows)


def _lines(rows: list[dict[str, Any]], decoded: Decoded, spec: SampleSpec, tokenizer: Any) -> list[str]:
    lines = []
    for position, length in enumerate(decoded.lengths.tolist()):
        row = rows[position // spec.samples_per_prompt]
        ids = decoded.tokens[position, :length].tolist()
        completion = {
            "prompt_id": row["prompt_id"],
            "prompt": row["prompt"],
            "sample": position % spec.samples_per_prompt,
            "completion": decode_completion(tokenizer, ids),
            "finished": bool(decoded.finished[position]),
            "token_ids": ids,
            "logprobs": [round(value, 6) for value in decoded.logprobs[position, :length].tolist()],
            "use_case": row["use_case"],
        }
        lines.append(json.dumps(completion, ensure_ascii=False) + "\n")
    return lines


def _summary(path: Path, prompts: int) -> dict[str, Any]:
    rows = read_rows(path, "completions")
    return {
        "prompts": prompts,
        "completions": len(rows),
        "finished_share": round(sum(row["finished"] for row in rows) / len(rows), 4),
        "mean_length": round(sum(len(row["token_ids"]) for row in rows) / len(rows), 2),
    }


if __name__ == "__main__":
    raise SystemExit(main())
