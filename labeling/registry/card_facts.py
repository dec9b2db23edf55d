"""What a model card says, gathered from rows: nothing in it is made up, and what is not known is left out."""

from collections import defaultdict
from typing import Any, NamedTuple

from labeling.evaluation import report
from labeling.evaluation.agreement import agreement
from labeling.evaluation.bootstrap import Estimate
from labeling.queue.models import Batch, Kind
from labeling.registry import lineage, measures
from labeling.registry.lineage import Lineage
from labeling.registry.measures import Measure
from labeling.registry.models import CardText
from training.models import Checkpoint


class Agreed(NamedTuple):
    """How often two labelers order two completions of this batch alike."""

    batch: str
    share: Estimate


class Facts(NamedTuple):
    checkpoint: Checkpoint
    text: CardText | None
    lineage: Lineage  # without pseudonyms: a card leaves the house
    ancestors: Lineage  # of it, what the checkpoint was made from, and itself
    measures: list[Measure]
    agreed: list[Agreed]


def of(checkpoint: Checkpoint) -> Facts:
    whole = lineage.of(checkpoint, pseudonyms=False)
    ancestors = before(whole)
    text = CardText.objects.filter(checkpoint=checkpoint).select_related("written_by").first()
    return Facts(checkpoint, text, whole, ancestors, measures.of([checkpoint])[checkpoint.pk], _agreed(ancestors))


def before(whole: Lineage) -> Lineage:
    """The part of a lineage that the checkpoint was made from, with the checkpoint and its run."""
    keys = {f"checkpoint:{whole['checkpoint']}", *whole["made_from"]}
    checkpoints = [row for row in whole["checkpoints"] if f"checkpoint:{row['id']}" in keys]
    made_by = {row["run"] for row in checkpoints}
    runs = [row for row in whole["runs"] if row["id"] in made_by or f"run:{row['id']}" in keys]
    datasets = [row for row in whole["datasets"] if f"dataset:{row['id']}" in keys]
    rounds = {row["round"] for row in runs} | {pk for row in datasets for pk in row.get("rounds", {})}
    return {
        **whole,
        "checkpoints": checkpoints,
        "runs": runs,
        "datasets": datasets,
        "rounds": [row for row in whole["rounds"] if row["id"] in rounds],
    }


def labels_by_guideline(ancestors: Lineage) -> list[tuple[dict[str, Any], str, int]]:
    """Each guideline version with the kind and the number of labels made under it."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    known: dict[int, dict[str, Any]] = {}
    for row in ancestors["datasets"]:
        for guideline in row.get("guidelines", []):
            known[guideline["id"]] = guideline
            counts[guideline["id"], row["kind"]] += guideline["labels"]
    return [(known[pk], kind, counts[pk, kind]) for pk, kind in sorted(counts)]


def hub_model(ancestors: Lineage) -> tuple[str, str] | None:
    """The hub's id and commit of the model that all began with, where it was taken in from the hub."""
    for row in ancestors["runs"]:
        if row["recipe"] == "import_model" and (row["result"] or {}).get("commit"):
            return row["spec"]["model"], row["result"]["commit"]
    return None


def _agreed(ancestors: Lineage) -> list[Agreed]:
    """Of the batches whose rankings it was trained on."""
    keys = {pk for row in ancestors["datasets"] if row["kind"] == "rankings" for pk in row.get("batches", {})}
    found = []
    for batch in Batch.objects.filter(pk__in=keys, kind=Kind.RANK).order_by("created_at", "pk"):
        if share := agreement(report.overlaps(batch)):
            found.append(Agreed(batch.name, share))
    return found
