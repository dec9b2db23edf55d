"""One run for researchers: how it stands, its curves and texts as they are made, what went in and what came out."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import page_or_part, plots
from training.models import Checkpoint, Run
from training.runs import folder
from training.runs.curves import lines
from training.runs.folder import ORDERS, Wanted
from training.runs.views import researcher_only

UNCHANGED = 204  # htmx leaves the page as it is


@researcher_only
@plots
@never_cache
@require_safe
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The whole page, or for htmx how the run stands now."""
    run = find(run_id)
    context = {"run": run, "machine": folder.machine(run), "rates": folder.rates(run)}
    if not request.htmx:  # type: ignore[attr-defined]
        context |= {
            "log": folder.log_tail(run),
            "requests": requests_of(run),
            "seen": seen(run),
            "lines": lines(run),
            "plotted": [{"name": run.name, "url": reverse("run-curves", args=[run.pk])}],
            "samples": folder.samples_of(run, Wanted()),
            "wanted": Wanted(),
            "orders": ORDERS,
            "spec": sorted(run.spec.items()),
            "inputs": run.inputs.select_related("dataset"),
            "parents": run.parents.select_related("checkpoint__run"),
            "checkpoint": Checkpoint.objects.filter(run=run).prefetch_related("uses__run").first(),
        }
    return page_or_part(request, "training/runs/detail.html", "training/runs/_state.html", context)


@researcher_only
@never_cache
@require_safe
def run_control(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The buttons and who pressed them; nothing while they are what the page has, so that no click is lost."""
    run = find(run_id)
    if request.GET.get("seen") == seen(run):
        return HttpResponse(status=UNCHANGED)
    return render(request, "training/runs/_control.html", {"run": run, "requests": requests_of(run), "seen": seen(run)})


@researcher_only
@never_cache
@require_safe
def run_log(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The end of the log, which polls itself while the run is live."""
    run = find(run_id)
    return render(request, "training/runs/_log.html", {"run": run, "log": folder.log_tail(run)})


@researcher_only
@never_cache
@require_safe
def run_log_file(request: HttpRequest, run_id: UUID) -> FileResponse:
    """The whole log, to keep."""
    run = find(run_id)
    try:
        file = folder.log_file(run).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(
        file, as_attachment=True, filename=f"log-{run.pk}.txt", content_type="text/plain; charset=utf-8"
    )


@researcher_only
@never_cache
@require_safe
def run_samples(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The texts that fit; nothing while the file is what the page has."""
    run = find(run_id)
    wanted = _wanted(request)
    if run.is_live and request.GET.get("seen") == str(folder.samples_size(run)):
        return HttpResponse(status=UNCHANGED)
    samples = folder.samples_of(run, wanted)
    context = {"run": run, "samples": samples, "wanted": wanted, "orders": ORDERS}
    return page_or_part(request, "training/runs/samples.html", "training/runs/_samples.html", context)


def find(run_id: UUID) -> Run:
    return get_object_or_404(Run, pk=run_id)


def requests_of(run: Run) -> list[object]:
    return list(run.requests.select_related("by"))


def seen(run: Run) -> str:
    """What the buttons depend on."""
    return f"{run.state}-{run.is_stopping:d}-{run.attempts}"


def _wanted(request: HttpRequest) -> Wanted:
    """As asked for in the address; what is no number asks for nothing."""
    steps = (request.GET.get(name, "") for name in ("low", "high"))
    low, high = (int(step) if step.isdecimal() and len(step) < 15 else None for step in steps)
    order = request.GET.get("order", "")
    return Wanted(low, high, request.GET.get("words", "").strip()[:200], order if order in ORDERS else ORDERS[0])
