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
    checkpoint = _policy(run)
    path = storage.run_folder(run.pk) / "samples.jsonl"
    if not path.exists():
        raise Conflict(f"The run “{run}” has no samples to take in.")
    try:
        drafts = list(_drafts(path.name, iter_rows(path, "completions"), run, checkpoint))
    except RowError as error:
        raise BadInput(f"The samples of the run “{run}” cannot be used: {error}") from error
    _check_prompts(run, {draft.prompt_id for draft in drafts})
    Completion.objects.bulk_create(drafts, batch_size=CHUNK, ignore_conflicts=True)
    return list(run.completions.order_by("prompt_id", "sample"))


def _policy(run: Run) -> Checkpoint:
    parent = run.parents.filter(role="policy").select_related("checkpoint").first()
    if parent is None:
        raise BadInput(f"The run “{run}” names no policy that it sampled from.")
    return parent.checkpoint


def _drafts(name: str, rows: Iterator[dict[str, Any]], run: Run, checkpoint: Checkpoint) -> Iterator[Completion]:
    for number, row in enumerate(rows, start=1):
        try:
            prompt_id = UUID(str(row["prompt_id"]))
        except ValueError:
            raise BadInput(f"{name} line {number}: “{row['prompt_id']}” is not the id of a prompt.") from None
        yield Completion(
            prompt_id=prompt_id,
            run=run,
            checkpoint=checkpoint,
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
