"""The other way round: from labels to the weights that they shaped. Frozen files are the truth (`contents.py`)."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from labeling.registry import contents, edges
from labeling.registry.edges import Node
from labeling.registry.models import Contents
from training.models import Checkpoint, Dataset, Run


class Use(NamedTuple):
    """A run that reads a dataset with the label in it."""

    run: Run
    name: str
    dataset: Dataset


class Shaped(NamedTuple):
    """Where some labels went. `further`: checkpoints that were made of those that read them, step by step."""

    datasets: list[Dataset]
    uses: list[Use]
    checkpoints: list[Checkpoint]
    further: list[Checkpoint]

    @property
    def all_checkpoints(self) -> list[Checkpoint]:
        return [*self.checkpoints, *self.further]


def of_demonstrations(ids: Sequence[int]) -> Shaped:
    return _of(Contents.objects.filter(dataset__kind="demonstrations", label_ids__overlap=list(ids)))


def of_rankings(ids: Sequence[int], decisions: Sequence[int] = ()) -> Shaped:
    """Also where an adjudicator's decision stood in their place."""
    held = Contents.objects.filter(dataset__kind="rankings", label_ids__overlap=list(ids))
    decided = Contents.objects.filter(dataset__kind="rankings", decision_ids__overlap=list(decisions))
    return _of(held | decided if decisions else held)


def of_labeler(labeler: int) -> Shaped:
    """All datasets with rows of this labeler."""
    return _of(Contents.objects.filter(dataset__labeler_rows__labeler=labeler))


def _of(held: "QuerySet[Contents]") -> Shaped:
    contents.read_missing()
    datasets = list(Dataset.objects.filter(pk__in=held.values("dataset")).order_by("created_at", "pk"))
    graph = edges.load()
    uses = [
        Use(use.run, use.name, dataset)
        for dataset in _with_uses(datasets)
        for use in dataset.uses.all()
        if use.run.queue == Run.Queue.TRAINING
    ]
    nodes = [edges.dataset_node(dataset.pk) for dataset in datasets]
    made = {graph.made_in[use.run.pk]: None for use in uses if use.run.pk in graph.made_in}
    further = [node for node in edges.used_by(graph, *nodes) if node.kind == "checkpoint" and node not in made]
    found = Checkpoint.objects.select_related("run__stage__round").in_bulk(
        [int(node.key) for node in [*made, *further]]
    )
    return Shaped(datasets, uses, [_row(found, node) for node in made], [_row(found, node) for node in further])


def _with_uses(datasets: list[Dataset]) -> list[Dataset]:
    keys = [dataset.pk for dataset in datasets]
    rows = Dataset.objects.prefetch_related("uses__run").in_bulk(keys)
    return [rows[key] for key in keys]


def _row(found: dict[int, Checkpoint], node: Node) -> Checkpoint:
    return found[int(node.key)]
