"""Completions in: what a sampling run wrote, as rows."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from labeling.completions.models import Completion
from labeling.errors import BadInput, Conflict
from labeling.prompts.models import Prompt
from labeling.texts import storable
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Checkpoint, Run

CHUNK = 2000


def take_in(run: Run) -> list[Completion]:
    """The completions in the run's samples.jsonl, stored; by prompt and sample. Twice is the same as once.

    Raises Conflict where the run has no samples yet, BadInput where they cannot be used.
    """
    policies = _policies(run)
    path = storage.run_folder(run.pk) / "samples.jsonl"
    if not path.exists():
        raise Conflict(f"The run “{run}” has no samples to take in.")
    try:
        drafts = list(_drafts(path.name, iter_rows(path, "completions"), run, policies))
    except RowError as error:
        raise BadInput(f"The samples of the run “{run}” cannot be used: {error}") from error
    _check_prompts(run, {draft.prompt_id for draft in drafts})
    Completion.objects.bulk_create(drafts, batch_size=CHUNK, ignore_conflicts=True)
    return list(run.completions.order_by("prompt_id", "sample"))


def _policies(run: Run) -> dict[str, Checkpoint]:
    """Who may have sampled, by the name that a row gives in `policy`."""
    policies = {parent.role: parent.checkpoint for parent in run.parents.select_related("checkpoint")}
    if "policy" not in policies and run.spec.get("engine") == "openai":
        policies["policy"] = _behind_server(str(run.spec["base_url"]), str(run.spec["model"]))
    if not policies:
        raise BadInput(f"The run “{run}” names no policy that it sampled from.")
    return policies


def _behind_server(base_url: str, model: str) -> Checkpoint:
    """The checkpoint row that stands for a server's model: brought in from outside, one for each address and name."""
    checkpoint, _ = Checkpoint.objects.get_or_create(
        path=f"{base_url.rstrip('/')}#{model}", defaults={"name": model, "kind": Checkpoint.Kind.POLICY}
    )
    return checkpoint


def _drafts(
    name: str, rows: Iterator[dict[str, Any]], run: Run, policies: dict[str, Checkpoint]
) -> Iterator[Completion]:
    for number, row in enumerate(rows, start=1):
        try:
            prompt_id = UUID(str(row["prompt_id"]))
        except ValueError:
            raise BadInput(f"{name} line {number}: “{row['prompt_id']}” is not the id of a prompt.") from None
        policy = row.get("policy", "policy")
        if policy not in policies:
            raise BadInput(f"{name} line {number}: the run “{run}” has no parent “{policy}”.")
        yield Completion(
            prompt_id=prompt_id,
            run=run,
            checkpoint=policies[policy],
            sample=row["sample"],
            text=storable(row["completion"]),
            finished=row["finished"],
        )


def _check_prompts(run: Run, wanted: set[UUID]) -> None:
    """Told apart here rather than by the foreign key, whose error would name neither run nor prompt."""
    ids = sorted(wanted)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        unknown = set(chunk) - set(Prompt.objects.filter(pk__in=chunk).values_list("pk", flat=True))
        if unknown:
            raise BadInput(f"The run “{run}” answers {len(unknown)} prompts that are not here, such as {min(unknown)}.")
