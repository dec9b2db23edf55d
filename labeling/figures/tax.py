"""The alignment tax: what fine-tuning costs on text and on benchmarks (Ouyang et al. 2022, §4.1 and table 14).

Read from the results of `evaluate` runs. Figures are held beside each other where they were measured on the same data
in the same way, and the policies go back to the same base.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from labeling.figures.policies import BASE, KINDS, Policy, policies
from training.models import Run, RunInput, RunParent

Z = 1.959964  # of a normal distribution: 95 % on both sides
NO_ERROR = "the run reports no standard error of it"


class Measured(NamedTuple):
    """One figure of one policy. `tax`: how much worse than the base's; None without a base, and for the base."""

    policy: Policy
    value: float
    low: float | None
    high: float | None
    tax: float | None
    tax_low: float | None
    tax_high: float | None
    run: UUID
    why: str = ""


class Task(NamedTuple):
    """`name`: `lm_loss` or `<task>/<metric>`; `lower_is_better` for losses."""

    name: str
    root: int
    lower_is_better: bool
    measured: list[Measured]


class Result(NamedTuple):
    """An evaluation that is done, and what its figures were measured on."""

    run: UUID
    policy: int
    numbers: Mapping[str, Any]
    texts: int | None
    asked: str


def tasks() -> list[Task]:
    """By base and name; of a policy that was measured twice in the same way, the newest. Tasks that only one policy
    was asked are left out: there is nothing to compare."""
    found = results()
    return compare(found, policies({one.policy for one in found}))


def results() -> list[Result]:
    """The newest last."""
    runs = list(Run.objects.filter(recipe="evaluate", state=Run.State.DONE).order_by("finished_at", "pk"))
    of = dict(RunParent.objects.filter(run__in=runs, role="policy").values_list("run_id", "checkpoint_id"))
    inputs = RunInput.objects.filter(run__in=runs).values_list("run_id", "name", "dataset_id")
    read = {(run, name): dataset for run, name, dataset in inputs}
    settings = ("num_fewshot", "limit", "apply_chat_template")
    return [
        Result(
            run.pk,
            of[run.pk],
            run.result or {},
            read.get((run.pk, "texts")),
            f"{read.get((run.pk, 'questions'))} {[run.spec.get(name) for name in settings]} "
            f"{(run.result or {}).get('task_files')}",
        )
        for run in runs
        if run.pk in of
    ]


def compare(found: Iterable[Result], known: Mapping[int, Policy]) -> list[Task]:
    """PURE. See `tasks`."""
    groups: dict[tuple[int, str, str], dict[int, Result]] = {}
    for one in found:
        root = known[one.policy].root
        for name, value in one.numbers.items():
            if is_figure(name) and isinstance(value, int | float):
                measured_on = str(one.texts) if name == "lm_loss" else one.asked
                groups.setdefault((root, name, measured_on), {})[one.policy] = one
    made = [_task(root, name, by, known) for (root, name, _), by in sorted(groups.items()) if len(by) > 1]
    return sorted(made, key=lambda task: (task.root, task.name != "lm_loss", task.name))


def is_figure(name: str) -> bool:
    return name == "lm_loss" or ("/" in name and not name.endswith("_stderr"))


def _task(root: int, name: str, by: Mapping[int, Result], known: Mapping[int, Policy]) -> Task:
    is_loss = name == "lm_loss" or name.endswith(("perplexity", "bits_per_byte", "loss"))
    base = next((one for policy, one in by.items() if known[policy].kind == BASE), None)
    order = sorted(by, key=lambda policy: (list(KINDS).index(known[policy].kind), policy))
    lines = [_measured(known[policy], by[policy], base, name, 1.0 if is_loss else -1.0) for policy in order]
    return Task(name, root, is_loss, lines)


def _measured(policy: Policy, one: Result, base: Result | None, name: str, worse: float) -> Measured:
    value, error = float(one.numbers[name]), _error(one, name)
    half = None if error is None else Z * error
    tax = tax_half = None
    if base is not None and base.policy != one.policy:
        tax = worse * (value - float(base.numbers[name]))
        theirs = _error(base, name)
        if error is not None and theirs is not None:
            # As if the two were asked different questions. They were asked the same: this is too wide rather than not.
            tax_half = Z * float(error**2 + theirs**2) ** 0.5
    return Measured(
        policy,
        value,
        *_around(value, half),
        tax,
        *_around(tax, tax_half),
        one.run,
        "" if half is not None else NO_ERROR,
    )


def _error(one: Result, name: str) -> float | None:
    error = one.numbers.get(f"{name}_stderr")
    return float(error) if isinstance(error, int | float) else None


def _around(value: float | None, half: float | None) -> tuple[float | None, float | None]:
    return (None, None) if value is None or half is None else (value - half, value + half)
