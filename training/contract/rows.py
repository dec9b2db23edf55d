"""Rows of the dataset kinds: what crosses between people and training, one JSON object a line.

The names and meanings are in docs/architecture.md. A row may carry further fields (they are kept); the ones listed
here must be present and well formed, so that a recipe never starts on data that would fail it an hour later.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict


class RowError(ValueError):
    """A dataset file that cannot be read: says the file, the line and what is wrong with it."""


class TextRow(TypedDict):
    text: str


class PromptRow(TypedDict):
    prompt_id: str
    prompt: str
    use_case: str
    split: str


class DemonstrationRow(TypedDict):
    demonstration_id: str
    prompt_id: str
    prompt: str
    completion: str
    labeler: str
    cohort: str
    use_case: str
    split: str


class RankingRow(TypedDict):
    ranking_id: str
    prompt_id: str
    prompt: str
    completions: list[str]
    ranks: list[int]  # rank 1 is best, equal ranks are a tie
    labeler: str
    cohort: str
    use_case: str
    split: str


class CompletionRow(TypedDict):
    prompt_id: str
    prompt: str
    sample: int  # which of the K samples of this prompt, from 0
    completion: str
    finished: bool  # the model ended the text itself
    token_ids: list[int]  # the completion's tokens, the end token included
    logprobs: list[float]  # of those tokens, under the policy that sampled them; both empty where a server sampled
    use_case: str
    policy: NotRequired[str]  # the parent of the run that sampled it; "policy" where it is not said
    seed: NotRequired[int]  # of the batch that it was sampled in, or of the request to the server
    reward: NotRequired[float]  # best_of_n, score: the reward model's; of several, and of their heads, the mean
    mean_reward: NotRequired[float]  # best_of_n: of all n samples of the prompt
    spread: NotRequired[float]  # best_of_n, score: the standard deviation of what reward models and their heads say
    head_rewards: NotRequired[list[float]]  # score: what each head of each reward model says, model by model


class QuestionRow(TypedDict):
    """A question whose right answer is known, for evaluate: to choose (choices) or to answer freely (no choices)."""

    task: str  # questions of one task are counted together
    prompt: str
    choices: list[str]
    answer: str  # one of the choices, where there are any


def _text(value: object) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _nonempty(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def _texts(value: object) -> str | None:
    fine = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if fine else "must be a list of texts"


def _choices(value: object) -> str | None:
    fine = isinstance(value, list) and len(value) != 1 and all(_nonempty(item) is None for item in value)
    return None if fine else "must be a list of two or more texts that are not empty, or an empty list"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: object) -> str | None:
    return None if _whole(value) and value >= 0 else "must be a whole number, 0 or more"  # type: ignore[operator]


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _counts(value: object) -> str | None:
    fine = isinstance(value, list) and all(_count(item) is None for item in value)
    return None if fine else "must be a list of whole numbers, 0 or more"


def _number(value: object) -> str | None:
    return None if _whole(value) or isinstance(value, float) else "must be a number"


def _numbers(value: object) -> str | None:
    fine = isinstance(value, list) and all(_whole(item) or isinstance(item, float) for item in value)
    return None if fine else "must be a list of numbers"


Check = Callable[[object], str | None]

FIELDS: dict[str, dict[str, Check]] = {
    "texts": {"text": _nonempty},
    "prompts": {"prompt_id": _nonempty, "prompt": _nonempty, "use_case": _text, "split": _text},
    "demonstrations": {
        "demonstration_id": _nonempty,
        "prompt_id": _nonempty,
        "prompt": _nonempty,
        "completion": _nonempty,
        "labeler": _text,
        "cohort": _text,
        "use_case": _text,
        "split": _text,
    },
    "rankings": {
        "ranking_id": _nonempty,
        "prompt_id": _nonempty,
        "prompt": _nonempty,
        "completions": _texts,
        "ranks": _counts,
        "labeler": _text,
        "cohort": _text,
        "use_case": _text,
        "split": _text,
    },
    "completions": {
        "prompt_id": _nonempty,
        "prompt": _nonempty,
        "sample": _count,
        "completion": _text,
        "finished": _flag,
        "token_ids": _counts,
        "logprobs": _numbers,
        "use_case": _text,
    },
    "questions": {"task": _nonempty, "prompt": _nonempty, "choices": _choices, "answer": _nonempty},
}

# Fields that a row may lack: files written before there were such fields stay readable.
OPTIONAL: dict[str, dict[str, Check]] = {
    "completions": {
        "policy": _nonempty,
        "seed": _count,
        "reward": _number,
        "mean_reward": _number,
        "spread": _number,
        "head_rewards": _numbers,
    },
}


def check_row(row: object, kind: str) -> str | None:
    """What is wrong with this row, as the end of a sentence, or None."""
    if not isinstance(row, dict):
        return "is not a JSON object"
    optional = OPTIONAL.get(kind, {})
    for name, check in (FIELDS[kind] | optional).items():
        if name not in row:
            if name in optional:
                continue
            return f"has no field '{name}'"
        problem = check(row[name])
        if problem is not None:
            return f"has a bad field '{name}': it {problem}"
    if kind == "rankings":
        return _check_ranking(row["completions"], row["ranks"])
    if kind == "completions" and len(row["token_ids"]) != len(row["logprobs"]):
        return f"has {len(row['token_ids'])} token_ids but {len(row['logprobs'])} logprobs"
    if kind == "questions" and row["choices"] and row["answer"] not in row["choices"]:
        return f"has the answer '{row['answer']}', which is none of its choices"
    return None


def _check_ranking(completions: list[str], ranks: list[int]) -> str | None:
    if len(completions) != len(ranks):
        return f"ranks {len(ranks)} completions but holds {len(completions)}"
    if len(completions) < 2:
        return f"holds {len(completions)} completion, a ranking needs at least 2"
    if min(ranks) < 1:
        return f"has the rank {min(ranks)}, the best rank is 1"
    return None


def iter_rows(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a dataset file in order, each checked; RowError names the line that is broken."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield _parse(line, kind, f"file {path.name} line {number}")
    except FileNotFoundError:
        raise RowError(f"The dataset file {path} does not exist.") from None
    except UnicodeDecodeError as error:
        raise RowError(f"file {path.name}: it is not UTF-8 text ({error.reason} at byte {error.start}).") from None


def _parse(line: str, kind: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise RowError(f"{where}: this is not JSON ({error.msg} at column {error.colno}).") from None
    problem = check_row(row, kind)
    if problem is not None:
        raise RowError(f"{where}: the row {problem}.")
    return row  # type: ignore[no-any-return]


def read_rows(path: Path, kind: str) -> list[dict[str, Any]]:
    """All rows of a dataset file of this kind. An empty dataset is an error: no recipe can use one."""
    rows = list(iter_rows(path, kind))
    if not rows:
        raise RowError(f"file {path.name} holds no rows, so there is nothing to work on.")
    return rows


def write_rows(path: Path, kind: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write a dataset file atomically and return the number of rows. A bad row leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    count = 0
    try:
        with temporary.open("w", encoding="utf-8") as out:
            for count, row in enumerate(rows, start=1):
                problem = check_row(row, kind)
                if problem is not None:
                    raise RowError(f"file {path.name} line {count}: the row {problem}.")
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return count
