"""Which tasks a run measures: questions of a dataset, and tasks of lm-evaluation-harness by name; and what came out.

A task by name is one of the YAML files below `<artifact root>/tasks`, or one of the harness's own whose data is on this
machine already: nothing is fetched from anywhere. Files named in those YAML files (`data_files`) are relative to that
folder. Like every task file of the harness it may call Python: the folder belongs to whoever runs the server.
"""

import contextlib
import hashlib
import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from lm_eval.api.task import ConfigurableTask
from lm_eval.defaults import DEFAULT_OTHER_SEED, DEFAULT_RANDOM_SEED
from lm_eval.evaluator import evaluate
from lm_eval.tasks import TaskManager

from training.contract.run_dir import RunError, sha256_of
from training.rlhf.harness.model import PolicyLM

BOOTSTRAPS = 1000  # for standard errors of what is not a mean; the harness takes 100,000, some minutes a task

Loaded = dict[str, Any]  # as the harness loads them: {"tasks": {name: task}, "groups": …}


def of_questions(rows: Sequence[dict[str, Any]], longest: int) -> Loaded:
    """The tasks of a questions dataset: to choose, by the log-probability of the choices; or to answer freely.

    A free answer is sampled greedily, has at most `longest` tokens and ends with its line, as in the paper's automatic
    evaluations; it is right where it is the answer, white space around it aside.
    """
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_task.setdefault(row["task"], []).append(row)
    return {"tasks": {name: ConfigurableTask(config=_config(name, of, longest)) for name, of in by_task.items()}}


def _config(name: str, rows: list[dict[str, Any]], longest: int) -> dict[str, Any]:
    if len({bool(row["choices"]) for row in rows}) > 1:
        raise RunError(f"The task '{name}' has questions with choices and questions without; give them two names.")
    columns: dict[str, list[Any]] = {"prompt": [row["prompt"] for row in rows]}
    if rows[0]["choices"]:
        columns["choices"] = [row["choices"] for row in rows]
        columns["answer"] = [row["choices"].index(row["answer"]) for row in rows]
        kind: dict[str, Any] = {
            "output_type": "multiple_choice",
            "doc_to_choice": "choices",
            "metric_list": _means("acc", "acc_norm"),
        }
    else:
        columns["answer"] = [row["answer"] for row in rows]
        kind = {
            "output_type": "generate_until",
            "generation_kwargs": {"until": ["\n"], "do_sample": False, "max_gen_toks": longest},
            "filter_list": [
                {"name": "none", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}
            ],
            "metric_list": _means("exact_match"),
        }
    return kind | {
        "task": name,
        "custom_dataset": lambda **_: {"test": Dataset.from_dict(columns)},
        "test_split": "test",
        "fewshot_split": "test",  # the question itself is left out of its examples
        "doc_to_text": "prompt",
        "doc_to_target": "answer",
        "target_delimiter": "",
        "metadata": {"version": 1},
    }


def _means(*metrics: str) -> list[dict[str, Any]]:
    return [{"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in metrics]


def by_name(names: Sequence[str], folder: Path) -> Loaded:
    """The tasks, groups and tags of these names. Raises RunError for a name that is nowhere, or whose data is."""
    local = [folder] if folder.is_dir() else []
    manager = TaskManager(include_path=local, include_defaults=False)
    if not set(names) <= set(manager.all_tasks):  # reading the harness's own 14,000 takes some seconds
        manager = TaskManager(include_path=local)
    for name in names:
        if name not in manager.all_tasks:
            raise RunError(f"There is no task '{name}', neither in {folder} nor in lm-evaluation-harness.")
    loaded: list[Any] = []
    with contextlib.chdir(folder if local else Path.cwd()):
        for name in names:
            try:
                of_name = manager.load([name])
            except Exception as error:  # the harness and datasets raise whatever comes, and mostly in many lines
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise RunError(f"The task '{name}' cannot be loaded from what is on this machine: {reason}") from error
            loaded += of_name["groups"].values() or of_name["tasks"].values()
    return dict(manager.load(loaded))


def digest_of(folder: Path) -> str:
    """One digest of all files below the folder: task files are no inputs with a digest of their own."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Outcome:
    """What the harness made of some tasks."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def numbers(self) -> dict[str, float]:
        """`<task>/<metric>` and its standard error `<task>/<metric>_stderr`, where it has one; `<task>/questions`.

        The name of a filter stands behind the metric (`exact_match,strict-match`), where it is not the plain one.
        """
        numbers: dict[str, float] = {}
        for task, values in self._found["results"].items():
            for key, value in values.items():
                metric, _, chain = key.partition(",")
                if chain and isinstance(value, (int, float)):
                    numbers[f"{task}/{metric}" + ("" if chain == "none" else f",{chain}")] = float(value)
            if "sample_len" in values:
                numbers[f"{task}/questions"] = values["sample_len"]
        return numbers

    def lines(self) -> Iterator[str]:
        """One JSON object for each question: what was asked and expected, what came back and what it counted for."""
        for task, samples in self._found["samples"].items():
            for sample in samples:
                row = {
                    "task": task,
                    "question": sample["doc_id"],
                    "filter": sample["filter"],
                    "target": sample["target"],
                    "requests": sample["arguments"],
                    "responses": sample["resps"],
                    **{metric: sample[metric] for metric in sample["metrics"]},
                }
                yield json.dumps(row, ensure_ascii=False, default=str) + "\n"


def measure(loaded: Loaded, model: PolicyLM, *, num_fewshot: int | None, limit: int, as_chat: bool) -> Outcome:
    """Ask the questions of the loaded tasks, with the seeds that the harness has on its command line."""
    os.environ["DISABLE_MULTIPROC"] = "1"  # for its bootstraps, whose forked processes wait forever for torch's threads
    random.seed(DEFAULT_RANDOM_SEED)
    np.random.seed(DEFAULT_OTHER_SEED)
    for task in loaded["tasks"].values():
        own = task.get_config("num_fewshot")
        if own is None or (num_fewshot is not None and own != 0):  # a task that says 0 means it
            task.set_config(key="num_fewshot", value=num_fewshot or 0)
        task.set_fewshot_seed(seed=DEFAULT_OTHER_SEED)
    found = evaluate(
        lm=model,
        task_dict=loaded,
        limit=limit or None,
        bootstrap_iters=BOOTSTRAPS,
        apply_chat_template=as_chat,
        fewshot_as_multiturn=True,
    )
    return Outcome(found)
