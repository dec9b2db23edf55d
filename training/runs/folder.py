"""What the run page shows from a run's folder: the end of its log, the texts it sampled, what machine it is on."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from training import storage
from training.contract.status import read_status
from training.models import Run
from training.runs.curves import metrics_file
from training.runs.series import store

LOG_BYTES = 8_000
SAMPLE_BYTES = 20_000_000
SAMPLES = 30
RATE_POINTS = 50
# Long lists of numbers that a recipe needs and nobody reads, and what has a column of its own.
UNREAD = {"prompt", "completion", "token_ids", "logprobs", "prompt_id", "step"}
REWARDS = ("reward", "score", "mean_reward")
ORDERS = ("newest", "highest", "lowest")


class Wanted(NamedTuple):
    """Which samples somebody wants to see."""

    low: int | None = None  # steps
    high: int | None = None
    words: str = ""
    order: str = "newest"  # newest | highest | lowest (reward)


class Samples(NamedTuple):
    rows: list[dict[str, Any]]  # the first of those that fit
    found: int
    size: int  # of the file, by which one sees that it has grown
    is_cut: bool  # only its end was looked through


def log_file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "log.txt"


def log_tail(run: Run) -> str:
    """The last lines of log.txt."""
    return _tail(log_file(run), LOG_BYTES)[0]


def samples_file(run: Run) -> Path:
    return storage.run_folder(run.pk) / "samples.jsonl"


def samples_of(run: Run, wanted: Wanted) -> Samples:
    """Rows of samples.jsonl that fit: prompt, completion, reward, and what else the row says."""
    text, size = _tail(samples_file(run), SAMPLE_BYTES)
    words = wanted.words.casefold()
    rows: list[dict[str, Any]] = []
    lines = text.split("\n")
    while lines:
        if wanted == Wanted() and len(rows) == SAMPLES:  # the rest is counted and not read
            more = sum('"completion"' in line for line in lines)
            return Samples([_shown(row) for row in rows], len(rows) + more, size, size > SAMPLE_BYTES)
        line = lines.pop()
        try:
            row = json.loads(line)
        except ValueError:  # one that is being written
            continue
        if isinstance(row, dict) and "completion" in row and _fits(row, wanted, words):
            rows.append(row)
    if wanted.order != "newest":
        sign = -1 if wanted.order == "highest" else 1
        rows.sort(key=lambda row: sign * reward if (reward := _reward(row)) is not None else float("inf"))
    shown = [_shown(row) for row in rows[:SAMPLES]]
    return Samples(shown, len(rows), size, size > SAMPLE_BYTES)


def samples_size(run: Run) -> int:
    """Bytes of samples.jsonl."""
    try:
        return samples_file(run).stat().st_size
    except FileNotFoundError:
        return 0


def machine(run: Run) -> dict[str, Any]:
    """Where the recipe says that it runs: host, pid, device, processes; what it does not say is left out."""
    status = read_status(storage.run_folder(run.pk) / "status.json")
    if status is None:
        return {}
    names = ("host", "pid", "device", "processes")
    return {name: value for name in names if (value := status.get(name))}


def rates(run: Run) -> list[tuple[str, float]]:
    """So many steps, episodes and tokens a second over the last rows; without two rows, nothing."""
    columns = store.of(metrics_file(run))
    if not columns.names:
        return []
    longest = columns.tail(max(columns.names, key=columns.length), RATE_POINTS)
    found = [(run.unit or "step", _slope(longest.times, longest.steps))]
    for name, unit in (("episode", "episode"), ("tokens", "token")):
        if name in columns.names:
            curve = columns.tail(name, RATE_POINTS)
            found.append((unit, _slope(curve.times, curve.values)))
    return [(f"{unit}s", rate) for unit, rate in found if rate > 0]


def _slope(times: Any, counts: Any) -> float:
    seconds = float(times[-1] - times[0])
    return float(counts[-1] - counts[0]) / seconds if seconds > 0 else 0.0


def _fits(row: dict[str, Any], wanted: Wanted, words: str) -> bool:
    step = row.get("step")
    if wanted.low is not None and not (isinstance(step, int) and step >= wanted.low):
        return False
    if wanted.high is not None and not (isinstance(step, int) and step <= wanted.high):
        return False
    return not words or words in f"{row.get('prompt', '')}\n{row['completion']}".casefold()


def _reward(row: dict[str, Any]) -> float | None:
    found = (row.get(name) for name in REWARDS)
    return next((value for value in found if isinstance(value, int | float)), None)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    hidden = UNREAD | {next((name for name in REWARDS if row.get(name) is not None), "")}
    facts = {name: value for name, value in row.items() if name not in hidden and not isinstance(value, list | dict)}
    return {
        "step": row.get("step"),
        "prompt": row.get("prompt", ""),
        "completion": row["completion"],
        "reward": _reward(row),
        "facts": facts,
    }


def _tail(path: Path, size: int) -> tuple[str, int]:
    """The last `size` bytes from a line's beginning on, and the file's size; empty where there is no file yet."""
    try:
        with path.open("rb") as file:
            whole = file.seek(0, 2)
            start = max(0, whole - size)
            file.seek(start)
            text = file.read(size).decode("utf-8", "replace")
    except FileNotFoundError:
        return "", 0
    return text.split("\n", 1)[-1] if start else text, whole
