"""The numbers behind the plots, as JSON and as CSV, and several runs in one plot."""

import csv
from collections.abc import Iterator
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import plots
from training import storage
from training.contract.metrics import Mark, read_metrics
from training.models import Run
from training.runs import compare, curves
from training.runs.run_views import find
from training.runs.views import researcher_only


class _Line:
    """A file that gives back what is written: the CSV leaves line by line, however many there are."""

    def write(self, text: str) -> str:
        return text


@researcher_only
@never_cache
@require_safe
def run_curves(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """With `after` (a mark) the rows since; else an overview of the asked range, `buckets` parts of it to a curve."""
    run = find(run_id)
    try:
        if after := request.GET.get("after"):
            answer = curves.news(curves.metrics_file(run), Mark.parse(after))
        else:
            answer = curves.overview(curves.metrics_file(run), _view(request))
    except ValueError as error:
        return JsonResponse({"error": f"The address cannot be read: {error}", "code": "bad-input"}, status=422)
    return JsonResponse(answer | {"live": run.is_live})


@researcher_only
@never_cache
@require_safe
def run_metrics(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """The rows of metrics.jsonl from byte `from` on, and where to go on: a growing file is read once."""
    offset = request.GET.get("from", "0")
    if not offset.isdecimal() or len(offset) > 15:
        return JsonResponse({"error": "“from” is a byte offset: a whole number.", "code": "bad-input"}, status=422)
    return JsonResponse(metrics_from(find(run_id), int(offset)))


def metrics_from(run: Run, offset: int) -> dict[str, object]:
    rows, end = read_metrics(storage.run_folder(run.pk) / "metrics.jsonl", offset)
    return {"rows": rows, "next": end, "live": run.is_live}


@researcher_only
@plots
@never_cache
@require_safe
def run_compare(request: HttpRequest) -> HttpResponse:
    """Up to eight runs by `run=…`: their curves over each other, and where their settings and results differ."""
    runs, left_out = compare.chosen(request.GET.getlist("run"))
    plotted = [
        {"name": one.run.name, "url": reverse("run-curves", args=[one.run.pk]), "color": one.color} for one in runs
    ]
    context = {
        "runs": runs,
        "left_out": left_out,
        "most": compare.MOST,
        "plotted": plotted,
        "settings": compare.differing([one.run.spec | {"seed": one.run.seed} for one in runs]),
        "results": compare.together([one.run.result or {} for one in runs]),
    }
    return render(request, "training/runs/compare.html", context)


@researcher_only
@never_cache
@require_safe
def curves_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All points of the runs of `run=…`."""
    runs = [one.run for one in compare.chosen(request.GET.getlist("run"))[0]]
    response = StreamingHttpResponse(_csv(runs), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="curves.csv"'
    return response


def _csv(runs: list[Run]) -> Iterator[str]:
    writer = csv.writer(_Line())
    for row in curves.table(runs):
        yield writer.writerow(row)  # what _Line.write gives


def _view(request: HttpRequest) -> curves.View:
    """Raises ValueError for what cannot be read."""
    asked = request.GET
    x = asked.get("x", "step")
    if x not in ("step", "minutes"):
        raise ValueError("“x” is step or minutes.")
    low, high = (float(asked[name]) if asked.get(name) else None for name in ("low", "high"))
    smooth = float(asked.get("smooth") or 0)
    if not 0 <= smooth < 1:
        raise ValueError("“smooth” is 0 or more and less than 1.")
    buckets = min(curves.MAX_BUCKETS, max(1, int(asked.get("buckets") or 400)))
    return curves.View(x, low, high, buckets, smooth, asked.getlist("name"))
