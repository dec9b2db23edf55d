"""samples.jsonl as the journal of a run that samples: whole batches in a fixed order, none lost and none twice."""

import json
import os
from collections.abc import Callable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from training.contract.execute import RunStopped
from training.rlhf import distributed
from training.rlhf.engines.interface import Sampled
from training.rlhf.session import Session


def keep_whole_batches(path: Path, batch_rows: int, all_rows: int) -> int:
    """Cut samples.jsonl after its last whole batch and return the number of batches that are there."""
    return int(
        distributed.from_first(_keep_whole_batches(path, batch_rows, all_rows) if distributed.rank() == 0 else 0)
    )


def _keep_whole_batches(path: Path, batch_rows: int, all_rows: int) -> int:
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


def write_batches(
    session: Session, path: Path, batches: range, lines_of: Callable[[int], list[str]], done: Callable[[int], None]
) -> None:
    """Append the lines of each batch, in order; a process computes every so-manieth batch, and process 0 writes.

    `done(number)` is called when so many batches are there. Raises RunStopped after whole batches.
    """
    count, rank = distributed.count(), distributed.rank()
    for start in range(batches.start, batches.stop, count):
        stopped, lines = False, []
        try:
            if start + rank < batches.stop:
                with distributed.alone():
                    lines = lines_of(start + rank)
        except RunStopped:
            stopped = True
        computed = distributed.collect_objects((stopped, lines))
        whole = list(takewhile(lambda part: not part[0], computed))
        if session.is_first:
            with path.open("a", encoding="utf-8") as out:
                out.writelines(line for _, part in whole for line in part)
        there = min(start + len(whole), batches.stop)
        done(there)
        if there < batches.stop and (len(whole) < count or session.asked_to_stop()):
            raise RunStopped


def completion_line(prompt: Mapping[str, Any], sampled: Sampled, sample: int, **more: object) -> str:
    """One line of kind completions, for a row of kind prompts; `more` are further fields of the row."""
    row = {
        "prompt_id": prompt["prompt_id"],
        "prompt": prompt["prompt"],
        "sample": sample,
        "completion": sampled.text,
        "finished": sampled.finished,
        "token_ids": sampled.token_ids,
        "logprobs": [round(value, 6) for value in sampled.logprobs],
        "use_case": prompt["use_case"],
        "seed": sampled.seed,
    }
    return json.dumps(row | more, ensure_ascii=False) + "\n"
