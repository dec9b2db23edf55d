"""Score completions by one reward model or by several, and say how far they are apart.

Every row of the input (kind completions) comes out in samples.jsonl with `reward` and `spread`: the mean and the
standard deviation over the *members*, which are all heads of all reward models (the parents reward_model,
reward_model_2, …), and with `head_rewards`, what each member says, in this order. Where members that learned from the
same rankings disagree, the rankings do not settle it: such completions are worth ranking, and a policy that moves
towards them is leaving what its reward model knows (Coste et al. 2023, Eisenstein et al. 2023). Which of two
completions is better is a matter of their difference, and how far members are apart on that cannot be told from two
spreads: hence `head_rewards`. Each model reads the texts by its own tokenizer, as when it was trained, and every
completion as if it had ended itself. Models are comparable as far as their scales are: see unit_std.

A resumed run drops a torn batch and writes the same rows again. There is no other state.

    python -m training.recipes.score --run-dir var/artifacts/runs/<run id>
    accelerate launch --num_processes 8 -m training.recipes.score --run-dir var/artifacts/runs/<run id>
"""

import json
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from training.contract.execute import StopFlag, execute
from training.contract.rows import read_rows
from training.contract.run_dir import RunDir, RunError
from training.contract.specs import ScoreSpec
from training.contract.status import StatusWriter
from training.rlhf.causal_lm import context_length, load_tokenizer
from training.rlhf.comparisons import RankedPrompt, score_by_head
from training.rlhf.engines.journal import keep_whole_batches, write_batches
from training.rlhf.ensemble import spread
from training.rlhf.scalar_head import ScalarModel, load_scalar_model
from training.rlhf.session import Session
from training.rlhf.tokens import check_context, check_prompt_lengths, encode_completions, encode_prompts


def main(arguments: Sequence[str] | None = None) -> int:
    return execute("score", score, arguments)


class Judge(NamedTuple):
    """A reward model, and all texts as it reads them."""

    model: ScalarModel
    prompts: list[list[int]]
    completions: list[list[int]]  # the end token included


def score(run: RunDir, spec: ScoreSpec, status: StatusWriter, stop: StopFlag) -> dict[str, Any]:
    session = Session(run, spec, status, stop)
    status.stage("loading")
    path = run.input("completions")
    rows = read_rows(path, "completions")
    judges = [_open(run.parent(name), path, rows, spec, session.device) for name in judge_names(run)]

    first = keep_whole_batches(run.samples, spec.batch_size, len(rows))
    status.stage("scoring")

    def lines_of(batch: int) -> list[str]:
        numbers = range(batch * spec.batch_size, min((batch + 1) * spec.batch_size, len(rows)))
        lines = []
        for number, members in zip(numbers, score_batch(judges, numbers, spec), strict=True):
            facts: dict[str, Any] = {"reward": round(statistics.fmean(members), 6), "spread": round(spread(members), 6)}
            facts |= {"head_rewards": [round(member, 6) for member in members]}
            lines.append(json.dumps(rows[number] | facts, ensure_ascii=False) + "\n")
        return lines

    def done(batches: int) -> None:
        status.progress(min(batches * spec.batch_size, len(rows)), len(rows), "completion")

    write_batches(session, run.samples, range(first, -(-len(rows) // spec.batch_size)), lines_of, done)
    return _summary(run.samples, len(judges), sum(len(judge.model.head_biases) for judge in judges))


def judge_names(run: RunDir) -> list[str]:
    """reward_model, reward_model_2, … in the order of their numbers. Raises RunError where there is none."""
    names = [name for name in run.parents if re.fullmatch(r"reward_model(_\d+)?", name)]
    if not names:
        raise RunError("The score run needs the parent 'reward_model', and run.json names none.")
    return sorted(names, key=lambda name: (len(name), name))


def _open(checkpoint: Path, path: Path, rows: list[dict[str, Any]], spec: ScoreSpec, device: torch.device) -> Judge:
    tokenizer = load_tokenizer(checkpoint)
    model = load_scalar_model(checkpoint, tokenizer, device, spec.precision).eval()
    prompts = encode_prompts(tokenizer, [row["prompt"] for row in rows])
    check_prompt_lengths(path.name, prompts, spec.max_prompt_tokens)
    completions = encode_completions(tokenizer, [row["completion"] for row in rows])
    lengths = [len(prompt) + len(completion) for prompt, completion in zip(prompts, completions, strict=True)]
    check_context(path.name, lengths, context_length(model.classifier))
    return Judge(model, prompts, completions)


def score_batch(judges: Sequence[Judge], numbers: Sequence[int], spec: ScoreSpec) -> list[list[float]]:
    """What every member says of the rows with these numbers: [rows][members]. A prompt is read once for its rows."""
    members: dict[int, list[float]] = {number: [] for number in numbers}
    for judge in judges:
        of_prompt: dict[tuple[int, ...], list[int]] = {}
        for number in numbers:
            of_prompt.setdefault(tuple(judge.prompts[number]), []).append(number)
        elements = [RankedPrompt(list(ids), [judge.completions[i] for i in of], []) for ids, of in of_prompt.items()]
        found = score_by_head(judge.model, elements, spec.micro_batch_tokens, judge.model.classifier.device)
        for of, by_head in zip(of_prompt.values(), found, strict=True):
            for number, heads in zip(of, by_head, strict=True):
                members[number].extend(heads)
    return list(members.values())


def _summary(path: Path, models: int, members: int) -> dict[str, Any]:
    rows = read_rows(path, "completions")
    return {
        "completions": len(rows),
        "reward_models": models,
        "members": members,
        "reward": round(statistics.fmean(row["reward"] for row in rows), 6),
        "spread": round(statistics.fmean(row["spread"] for row in rows), 6),
    }


if __name__ == "__main__":
    raise SystemExit(main())
