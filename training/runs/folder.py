"""What the run page shows from a run's folder: the end of its log and the last texts it sampled."""

import json
from pathlib import Path
from typing import Any

from training import storage
from training.models import Run

LOG_BYTES = 8_000
SAMPLE_BYTES = 200_000
SAMPLES = 30
# Long lists of numbers that a recipe needs and nobody reads.
UNREAD = {"prompt", "completion", "token_ids", "logprobs", "prompt_id"}


def log_tail(run: Run) -> str:
    """The last lines of log.txt."""
    return _tail(storage.run_folder(run.pk) / "log.txt", LOG_BYTES)


def latest_samples(run: Run) -> list[dict[str, Any]]:
    """The last rows of samples.jsonl, the newest first: prompt, completion, and what else the row says."""
    rows = []
    for line in reversed(_tail(storage.run_folder(run.pk) / "samples.jsonl", SAMPLE_BYTES).split("\n")):
        try:
            row = json.loads(line)
        except ValueError:  # the cut first line, or one that is being written
            continue
        if isinstance(row, dict) and "completion" in row:
            facts = {name: value for name, value in row.items() if name not in UNREAD and not isinstance(value, list)}
            rows.append({"prompt": row.get("prompt", ""), "completion": row["completion"], "facts": facts})
        if len(rows) == SAMPLES:
            break
    return rows


def _tail(path: Path, size: int) -> str:
    """The last `size` bytes from a line's beginning on; empty where there is no file yet."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            start = max(0, file.tell() - size)
            file.seek(start)
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return text.split("\n", 1)[-1] if start else text
