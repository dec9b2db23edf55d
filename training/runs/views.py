"""Runs for researchers: the list, one run with its curves as they grow, and what runs read and made."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import page_or_part, plots, role_required
from training import storage
from training.contract.metrics import read_metrics
from training.models import Checkpoint, Dataset, Run
from training.runs import folder

PAGE = 50
LIVE = (Run.State.QUEUED, Run.State.RUNNING)

researcher_only = role_required("researcher")


@researcher_only
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    runs = Run.objects.all()
    recipes = list(Run.objects.order_by("recipe").values_list("recipe", flat=True).distinct())
    if (recipe := request.GET.get("recipe", "")) in recipes:
        runs = runs.filter(recipe=recipe)
    page = Paginator(runs, PAGE).get_page(request.GET.get("page"))
    return render(request, "training/runs/list.html", {"page": page, "recipes": recipes, "recipe": recipe})


@researcher_only
@plots
@require_safe
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """State, progress, log and curves; what went in and what came out. The state's part polls itself while live."""
    run = _run(run_id)
    context = {"run": run, "is_live": run.state in LIVE, "log": folder.log_tail(run)}
    if not request.htmx:  # type: ignore[attr-defined]
        context |= {
            "samples": folder.latest_samples(run),
            "spec": sorted(run.spec.items()),
            "inputs": run.inputs.select_related("dataset"),
            "parents": run.parents.select_related("checkpoint__run"),
            "checkpoint": Checkpoint.objects.filter(run=run).prefetch_related("uses__run").first(),
        }
    return page_or_part(request, "training/runs/detail.html", "training/runs/_state.html", context)


@researcher_only
@never_cache
@require_safe
def run_metrics(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """The rows of metrics.jsonl from byte `from` on, and where to go on: a growing file is read once."""
    offset = request.GET.get("from", "0")
    if not offset.isdecimal() or len(offset) > 15:
        return JsonResponse({"error": "“from” is a byte offset: a whole number.", "code": "bad-input"}, status=422)
    return JsonResponse(metrics_from(_run(run_id), int(offset)))


def metrics_from(run: Run, offset: int) -> dict[str, object]:
    rows, end = read_metrics(storage.run_folder(run.pk) / "metrics.jsonl", offset)
    return {"rows": rows, "next": end, "live": run.state in LIVE}


@researcher_only
@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Dataset.objects.prefetch_related("uses__run"), PAGE).get_page(request.GET.get("page"))
    return render(request, "training/datasets/list.html", {"page": page})


def _run(run_id: UUID) -> Run:
    return get_object_or_404(Run, pk=run_id)
