"""A checkpoint's lineage as plain values: what it was made from and what was made of it, whole, in a fixed number of
queries. The page, the API, the card and the download all read this."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from labeling.exports.withdrawn import withdrawn_labelers
from labeling.models import Guideline, Labeler, LabelerRows, Promotion, Removal, Round
from labeling.registry import contents, edges
from labeling.registry.described import code_version, machine
from labeling.registry.edges import Edge, Graph, Node
from training.models import Checkpoint, Dataset, Run

Lineage = dict[str, Any]


def of(checkpoint: Checkpoint, *, pseudonyms: bool) -> Lineage:
    """Everything that is known. Without `pseudonyms` nobody is named, and labelers are counts: so in all that leaves
    the house."""
    contents.read_missing()
    graph = edges.load()
    node = edges.checkpoint_node(checkpoint.pk)
    before, after = edges.made_from(graph, node), edges.used_by(graph, node)
    chosen = [node, *before, *after]
    checkpoints = _checkpoints(chosen)
    runs = _runs(chosen, checkpoints.values())
    datasets = _datasets(chosen)
    rounds = _rounds(runs.values(), datasets.values())
    people = _people(datasets)
    guidelines = Guideline.objects.in_bulk(
        {int(pk) for row in datasets.values() if hasattr(row, "contents") for pk in row.contents.guidelines}
    )
    serving = set(Promotion.objects.filter(ended_at=None).values_list("checkpoint_id", flat=True))
    return {
        "checkpoint": checkpoint.pk,
        "name": checkpoint.name,
        "checkpoints": [_checkpoint(row, serving, pseudonyms) for row in checkpoints.values()],
        "runs": [_run(row) for row in runs.values()],
        "datasets": [_dataset(row, people.get(row.pk, []), guidelines, pseudonyms) for row in datasets.values()],
        "rounds": [_round(row, pseudonyms) for row in rounds],
        "made_from": [str(one) for one in before],
        "used_by": [str(one) for one in after],
        "edges": [_edge(edge) for edge in _ordered(graph, chosen)],
    }


def _ordered(graph: Graph, chosen: list[Node]) -> list[Edge]:
    at = {node: number for number, node in enumerate(chosen)}
    return sorted(edges.edges_among(graph, chosen), key=lambda edge: (at[edge.target], at[edge.source], edge.name))


def _checkpoints(nodes: Iterable[Node]) -> dict[int, Checkpoint]:
    keys = [int(node.key) for node in nodes if node.kind == "checkpoint"]
    found = Checkpoint.objects.select_related("removal__by", "run__stage__round").in_bulk(keys)
    return {key: found[key] for key in keys}


def _runs(nodes: Iterable[Node], checkpoints: Iterable[Checkpoint]) -> dict[str, Run]:
    """Those that made a checkpoint, and those that made none."""
    made = {str(row.run_id): row.run for row in checkpoints if row.run}
    others = Run.objects.select_related("stage__round", "checkpoint")
    keys = [node.key for node in nodes if node.kind == "run"]
    return made | {str(run.pk): run for run in others.filter(pk__in=keys)}


def _datasets(nodes: Iterable[Node]) -> dict[int, Dataset]:
    keys = [int(node.key) for node in nodes if node.kind == "dataset"]
    found = Dataset.objects.select_related("contents").prefetch_related("exports").in_bulk(keys)
    return {key: found[key] for key in keys}


def _rounds(runs: Iterable[Run], datasets: Iterable[Dataset]) -> list[Round]:
    keys = {run.stage.round_id for run in runs if hasattr(run, "stage")}
    keys |= {int(pk) for row in datasets if hasattr(row, "contents") for pk in row.contents.rounds}
    return list(Round.objects.filter(pk__in=keys).select_related("created_by").order_by("created_at", "pk"))


def _people(datasets: Mapping[int, Dataset]) -> dict[int, list[dict[str, Any]]]:
    """Whose rows each dataset has. Who was erased since is said, and whose labels were withdrawn."""
    rows = LabelerRows.objects.filter(dataset__in=datasets).select_related("labeler").order_by("labeler__pseudonym")
    withdrawn = set(withdrawn_labelers().values_list("pk", flat=True))
    erased = set(Labeler.objects.filter(erasures__done_at__isnull=False).values_list("pk", flat=True))
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.dataset_id, []).append(
            {
                "pseudonym": row.labeler.pseudonym,
                "cohort": row.labeler.cohort,
                "rows": row.rows,
                "erased": row.labeler_id in erased,
                "withdrawn": row.labeler_id in withdrawn,
            }
        )
    return found


def _checkpoint(row: Checkpoint, serving: set[int], named: bool) -> dict[str, Any]:
    removal = getattr(row, "removal", None)
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "path": row.path,
        "run": str(row.run_id) if row.run_id else None,
        "created_at": _at(row.created_at),
        "serving": row.pk in serving,
        "deleted": removal and _removal(removal, named),
    }


def _removal(removal: Removal, named: bool) -> dict[str, Any]:
    by = str(removal.by) if named else None
    return {"at": _at(removal.at), "by": by, "why": removal.why, "bytes": removal.bytes}


def _run(row: Run) -> dict[str, Any]:
    stage = getattr(row, "stage", None)
    return {
        "id": str(row.pk),
        "name": row.name,
        "recipe": row.recipe,
        "spec": row.spec,
        "seed": row.seed,
        "state": row.state,
        "result": row.result,
        "code_version": code_version(row),
        "machine": machine(row),
        "round": stage and stage.round_id,
        "stage": stage and stage.name,
        "created_at": _at(row.created_at),
        "started_at": _at(row.started_at),
        "finished_at": _at(row.finished_at),
        "makes": getattr(getattr(row, "checkpoint", None), "pk", None),
    }


def _dataset(
    row: Dataset, people: list[dict[str, Any]], guidelines: Mapping[int, Guideline], pseudonyms: bool
) -> dict[str, Any]:
    held = getattr(row, "contents", None)
    exports = list(row.exports.all())
    said: dict[str, Any] = {
        "id": row.pk,
        "kind": row.kind,
        "sha256": row.sha256,
        "path": row.path,
        "rows": row.rows,
        "created_at": _at(row.created_at),
        "filters": [_filters(export.filters, pseudonyms) for export in exports],
    }
    if held is None:
        return said
    said |= {
        "cohorts": [_cohort(cohort, rows, people) for cohort, rows in sorted(held.cohorts.items())],
        "guidelines": [_guideline(guidelines[int(pk)], count) for pk, count in held.guidelines.items()],
        "rounds": {int(pk): count for pk, count in held.rounds.items()},
        "batches": {int(pk): count for pk, count in held.batches.items()},
        "decisions": len(held.decision_ids),
        "from_elsewhere": held.unknown,
        "rows_withdrawn_since": sum(one["rows"] for one in people if one["withdrawn"]),
        "rows_of_erased": sum(one["rows"] for one in people if one["erased"]),
    }
    return said | ({"labelers": people} if pseudonyms else {})


def _filters(filters: Mapping[str, Any], pseudonyms: bool) -> dict[str, Any]:
    """What was asked for; who was left out is named to those who may know the pseudonym."""
    shown = dict(filters)
    if "excluded" in shown and not pseudonyms:
        shown["excluded"] = [{"labels": one["labels"], "reason": one["reason"]} for one in shown["excluded"]]
    return shown


def _cohort(cohort: str, rows: int, people: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cohort": cohort, "rows": rows, "labelers": sum(one["cohort"] == cohort for one in people)}


def _guideline(row: Guideline, labels: int) -> dict[str, Any]:
    return {"id": row.pk, "purpose": row.purpose, "version": row.version, "title": row.title, "labels": labels}


def _round(row: Round, named: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "seed": row.seed,
        "state": row.state,
        "opened_at": _at(row.created_at),
        "opened_by": str(row.created_by) if named else None,
    }


def _edge(edge: Edge) -> dict[str, str]:
    return {"from": str(edge.source), "to": str(edge.target), "as": edge.name}


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
