"""What was made from what, as keys alone: all edges in four queries, walked in memory both ways.

A node is a checkpoint (with the run that made it), a run that made none, or a dataset. Tries in the playground and the
runs that only measure lead nowhere, so they are nobody's lineage; they are counted as uses.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from labeling.registry.models import Contents
from training.models import Checkpoint, Run, RunInput, RunParent


class Node(NamedTuple):
    """`kind` is checkpoint, run or dataset; `key` its primary key as a text."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


class Edge(NamedTuple):
    """`source` went into `target` under the recipe's name for it."""

    source: Node
    target: Node
    name: str


class Graph(NamedTuple):
    """All edges by both their ends, and the node that each run is shown as."""

    into: Mapping[Node, list[Edge]]
    out_of: Mapping[Node, list[Edge]]
    made_in: Mapping[UUID, Node]  # a run that made a checkpoint is that checkpoint


RANKED = "ranked"  # the name of an edge from a sampling run to the dataset with the rankings of its completions


def load() -> Graph:
    """The whole history. Rows of keys alone: ten thousand runs are read in well below a second."""
    into: dict[Node, list[Edge]] = defaultdict(list)
    out_of: dict[Node, list[Edge]] = defaultdict(list)
    made = Checkpoint.objects.exclude(run=None).order_by("pk").values_list("run_id", "pk")
    made_in = {run: checkpoint_node(pk) for run, pk in made}

    def add(source: Node, target: Node, name: str) -> None:
        edge = Edge(source, target, name)
        into[target].append(edge)
        out_of[source].append(edge)

    def node_of(run: UUID) -> Node:
        return made_in.get(run) or Node("run", str(run))

    trained = {"run__queue": Run.Queue.TRAINING}
    for run, checkpoint, role in (
        RunParent.objects.filter(**trained).order_by("pk").values_list("run_id", "checkpoint_id", "role")
    ):
        add(checkpoint_node(checkpoint), node_of(run), role)
    for run, dataset, name in (
        RunInput.objects.filter(**trained).order_by("pk").values_list("run_id", "dataset_id", "name")
    ):
        add(dataset_node(dataset), node_of(run), name)
    for dataset, runs in Contents.objects.exclude(sampled_in=[]).values_list("dataset_id", "sampled_in"):
        for run in runs:
            add(node_of(run), dataset_node(dataset), RANKED)
    return Graph(into, out_of, made_in)


def checkpoint_node(pk: int) -> Node:
    return Node("checkpoint", str(pk))


def dataset_node(pk: int) -> Node:
    return Node("dataset", str(pk))


def made_from(graph: Graph, node: Node) -> list[Node]:
    """All that went into it, the nearest first; without the node itself."""
    return _walk([node], lambda at: (edge.source for edge in graph.into.get(at, ())))


def used_by(graph: Graph, *nodes: Node) -> list[Node]:
    """All that it went into, the nearest first; without the nodes themselves."""
    return _walk(nodes, lambda at: (edge.target for edge in graph.out_of.get(at, ())))


def leads_on(graph: Graph, node: Node) -> bool:
    """Whether something was made of it, or it is weights: a run that only measured does not."""
    return node.kind != "run" or bool(graph.out_of.get(node))


def edges_among(graph: Graph, nodes: Iterable[Node]) -> list[Edge]:
    among = set(nodes)
    return [edge for node in among for edge in graph.into.get(node, ()) if edge.source in among]


def _walk(start: Iterable[Node], near: Callable[[Node], Iterable[Node]]) -> list[Node]:
    seen = dict.fromkeys(start)
    found: list[Node] = []
    waiting = list(seen)
    while waiting:
        further = []
        for node in waiting:
            for other in near(node):
                if other not in seen:
                    seen[other] = None
                    further.append(other)
        found += further
        waiting = further
    return found
