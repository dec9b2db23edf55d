"""For programs: a checkpoint's lineage, which policy serves, and what a label went into."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import OfficeView, ResearcherView
from labeling.errors import BadInput
from labeling.models import Demonstration, Ranking
from labeling.registry import labels, lineage, serving
from labeling.registry.labels import Shaped
from training.models import Checkpoint


class LineageView(ResearcherView):
    """Both ways, whole. Researchers know labelers by their pseudonyms; `?pseudonyms=0` leaves them out."""

    def get(self, request: Request, checkpoint_id: int) -> Response:
        checkpoint = get_object_or_404(Checkpoint, pk=checkpoint_id)
        return Response(lineage.of(checkpoint, pseudonyms=request.query_params.get("pseudonyms") != "0"))


class ServingView(ResearcherView):
    """The policy that serves, or null."""

    def get(self, request: Request) -> Response:
        standing = serving.current()
        return Response({"serving": standing and _standing(standing)})


def _standing(standing: Any) -> dict[str, Any]:
    row = standing.checkpoint
    return {
        "checkpoint": row.pk,
        "name": row.name,
        "path": row.path,
        "run": row.run_id,
        "since": standing.at,
        "by": str(standing.by),
        "why": standing.why,
    }


class LabelView(OfficeView):
    """What a demonstration or a ranking went into."""

    def get(self, request: Request, kind: str, label_id: int) -> Response:
        if kind == "demonstrations":
            shaped = labels.of_demonstrations([get_object_or_404(Demonstration, pk=label_id).pk])
        elif kind == "rankings":
            shaped = labels.of_rankings([get_object_or_404(Ranking, pk=label_id).pk])
        else:
            raise BadInput(f"There are no labels of the kind “{kind}”; there are demonstrations and rankings.")
        return Response(_shaped(shaped))


def _shaped(shaped: Shaped) -> dict[str, Any]:
    return {
        "datasets": [
            {"id": row.pk, "kind": row.kind, "sha256": row.sha256, "rows": row.rows} for row in shaped.datasets
        ],
        "runs": [
            {
                "id": use.run.pk,
                "name": use.run.name,
                "recipe": use.run.recipe,
                "as": use.name,
                "dataset": use.dataset.pk,
            }
            for use in shaped.uses
        ],
        "checkpoints": [{"id": row.pk, "name": row.name} for row in shaped.checkpoints],
        "further_checkpoints": [{"id": row.pk, "name": row.name} for row in shaped.further],
    }
