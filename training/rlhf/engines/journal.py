"""samples.jsonl as the journal of a run that samples: whole batches in a fixed order, none lost and none twice."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.rlhf.engines.interface import Sampled


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
