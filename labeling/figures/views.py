"""The paper's figures for one's own models, and the judgements behind each point."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import plots
from labeling import access
from labeling.errors import BadInput
from labeling.figures import report, table
from labeling.figures.forms import choice_of
from labeling.figures.policies import policies
from labeling.models import Cohort, UseCase
from training.models import Run

PAGE = 50
NARROWED = ("cohort", "use_case", "source", "flag")


@access.researcher_only
@never_cache
@plots
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    found = report.of(choice_of(request.GET.dict()))
    items = reverse("figure-items")
    context = {
        "report": found,
        "by": report.BY,
        "plotted": {**found, "items": items, "runs": reverse("run-list")},
        "ppo_runs": Run.objects.filter(recipe="ppo").order_by("-created_at")[:20],
    }
    return render(request, "labeling/figures/figures.html", context)


@access.researcher_only
@never_cache
@require_safe
def figures_csv(request: HttpRequest) -> HttpResponse:
    found = report.of(choice_of(request.GET.dict()))
    response = HttpResponse(table.as_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="figures-against-{found["baseline"]}.csv"'
    return response


@access.researcher_only
@never_cache
@require_safe
def figure_items(request: HttpRequest) -> HttpResponse:
    """What was judged, prompt by prompt; what the policy lost comes first."""
    asked = request.GET.get("policy", "")
    if not asked.isdecimal() or len(asked) > 15 or not (known := policies([int(asked)])):
        raise BadInput("Name a judged policy by the id of its checkpoint.")
    narrowed = {name: request.GET[name] for name in NARROWED if request.GET.get(name)}
    lines = report.items(choice_of(request.GET.dict()), int(asked), **narrowed)
    page = Paginator(lines, PAGE).get_page(request.GET.get("page"))
    texts = report.texts_of(list(page))
    others = policies({other for _, other, _ in page if other})
    context: dict[str, Any] = {
        "policy": known[int(asked)],
        "narrowed": {name: _said(name, value) for name, value in narrowed.items()},
        "page": page,
        "lines": [
            {"judged": one, "text": texts[one.prompt], "other": others.get(other), "score": score}
            for one, other, score in page
        ],
    }
    return render(request, "labeling/figures/items.html", context)


def _said(name: str, value: str) -> str:
    choices = dict([*UseCase.choices, *Cohort.choices])
    return str(choices.get(value, value)) if name in ("cohort", "use_case") else value
