"""What a checkpoint is in the paper's terms: which of its four policies, how large, and what it goes back to."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from labeling.figures.sizes import parameters
from training import storage
from training.models import Checkpoint, RunParent

BASE, SFT, PPO, PPO_PTX = "base", "sft", "ppo", "ppo_ptx"
KINDS = {BASE: "Base", SFT: "SFT", PPO: "PPO", PPO_PTX: "PPO-ptx"}


class Policy(NamedTuple):
    checkpoint: int
    name: str
    kind: str  # a key of KINDS
    size: int | None  # parameters; None where the weights are not on this machine
    run: UUID | None  # that made it
    root: int  # the checkpoint at the beginning of its line of policies

    @property
    def label(self) -> str:
        return f"{self.name} ({KINDS[self.kind]})" if KINDS[self.kind] not in self.name else self.name


def policies(checkpoints: Iterable[int]) -> dict[int, Policy]:
    """By id. A policy that no run of ours fine-tuned is a base."""
    found = Checkpoint.objects.filter(pk__in=set(checkpoints)).select_related("run")
    rows = {row.pk: row for row in found}
    roots = _roots(rows)
    return {pk: _policy(row, roots[pk]) for pk, row in rows.items()}


def _policy(row: Checkpoint, root: int) -> Policy:
    return Policy(row.pk, row.name, kind_of(row), size_of(row), row.run_id, root)


def kind_of(checkpoint: Checkpoint) -> str:
    """By the recipe that made it; PPO with pretraining gradients is PPO-ptx."""
    run = checkpoint.run
    if run is None or run.recipe not in (SFT, PPO):
        return BASE
    if run.recipe == PPO and run.spec.get("ptx_coef"):
        return PPO_PTX
    return run.recipe


def size_of(checkpoint: Checkpoint) -> int | None:
    return parameters(storage.absolute(checkpoint.path))


def _roots(rows: dict[int, Checkpoint]) -> dict[int, int]:
    """A query for each generation: lines of policies are short."""
    root = {pk: pk for pk in rows}
    at = {pk: row.run_id for pk, row in rows.items()}
    while waiting := {pk: run for pk, run in at.items() if run is not None}:
        above = RunParent.objects.filter(run__in=set(waiting.values()), role="policy")
        parent = {run: (pk, made_by) for run, pk, made_by in above.values_list("run", "checkpoint", "checkpoint__run")}
        at = {}
        for pk, run in waiting.items():
            if run in parent:
                root[pk], at[pk] = parent[run]
    return root
