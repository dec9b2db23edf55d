"""Have a reward model score what labelers ranked of held-out prompts: one run of the recipe `score` at a time."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction

from labeling.completions.models import Completion
from labeling.errors import BadInput, Conflict
from labeling.exports.models import Export
from labeling.rankings.models import RankedCompletion
from labeling.reward_models import scored
from training import storage
from training.contract.rows import RowError, iter_rows
from training.models import Checkpoint, Dataset, Run
from training.runs.launch import queue_run

CHUNK = 2000
SHARED = ("max_prompt_tokens", "micro_batch_tokens", "precision", "threads")  # settings that scoring takes over


def score(checkpoint: Checkpoint) -> Run:
    """Queue the run. Raises BadInput where there is nothing to score, Conflict where it is being scored already."""
    if checkpoint.kind != Checkpoint.Kind.REWARD_MODEL:
        raise BadInput(f"“{checkpoint}” is a policy; only a reward model scores completions.")
    with transaction.atomic():
        Checkpoint.objects.select_for_update().get(pk=checkpoint.pk)  # of two clicks at once, one waits here
        if scored.runs(checkpoint).filter(state__in=scored.LIVE).exists():
            raise Conflict("The rankings are being scored already; the page shows the figures when that is done.")
        dataset = _frozen(checkpoint)
        spec = checkpoint.run.spec if checkpoint.run else {}
        return queue_run(
            recipe="score",
            name=f"Rankings scored by {checkpoint}"[:100],
            spec={name: spec[name] for name in SHARED if name in spec},
            seed=1,
            inputs={"completions": dataset},
            parents={"reward_model": checkpoint},
        )


def _frozen(checkpoint: Checkpoint) -> Dataset:
    """Every ranked completion of a prompt that is held out and was not trained on, as a dataset of kind completions."""
    ranked = RankedCompletion.objects.filter(ranking__in=scored.held_out_rankings())
    completions = Completion.objects.filter(pk__in=ranked.values("completion")).exclude(
        prompt__in=_trained_on(checkpoint)
    )
    chosen = completions.select_related("prompt").order_by("prompt_id", "pk")
    kept = storage.keep_rows("completions", _rows(chosen.iterator(CHUNK)))
    if kept.rows == 0:
        storage.absolute(kept.path).unlink(missing_ok=True)
        raise BadInput("Nothing to score: nobody has ranked completions of a validation or test prompt yet.")
    dataset, _ = Dataset.objects.get_or_create(
        kind="completions", sha256=kept.sha256, defaults={"path": kept.path, "rows": kept.rows}
    )
    Export.objects.create(dataset=dataset, filters={"rankings_of_held_out_prompts": True, "checkpoint": checkpoint.pk})
    return dataset


def _rows(completions: Iterator[Completion]) -> Iterator[dict[str, Any]]:
    for one in completions:
        yield {
            "prompt_id": str(one.prompt_id),
            "prompt": one.prompt.text,
            "sample": one.sample,
            "completion": one.text,
            "finished": one.finished,
            "token_ids": [],
            "logprobs": [],
            "use_case": one.prompt.use_case,
            "completion_id": one.pk,
        }


def _trained_on(checkpoint: Checkpoint) -> set[UUID]:
    """Prompts in the rankings that the model learned from; none where their file is gone, or came from outside."""
    inputs = checkpoint.run.inputs.filter(name="rankings").select_related("dataset") if checkpoint.run else ()
    try:
        return {
            UUID(row["prompt_id"])
            for one in inputs
            for row in iter_rows(storage.absolute(one.dataset.path), "rankings")
        }
    except (RowError, ValueError):
        return set()
