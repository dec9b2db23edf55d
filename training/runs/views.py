"""The lists: runs and datasets."""

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config.http import role_required
from training.models import Dataset, Run, RunInput

PAGE = 50

researcher_only = role_required("researcher")


@researcher_only
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs by what is asked for; ticked ones are compared. The playground's tries only where they are asked for."""
    recipes = list(Run.objects.order_by("recipe").values_list("recipe", flat=True).distinct())
    rounds = Run.objects.filter(stage__isnull=False).order_by("-stage__round_id")
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "recipe", "state", "round", "warned", "queue")}
    runs = _asked_for(asked).select_related("stage__round").defer("spec", "result")
    context = {
        "page": Paginator(runs, PAGE).get_page(request.GET.get("page")),
        "asked": asked,
        "is_narrowed": any(asked.values()),
        "recipes": recipes,
        "states": Run.State.choices,
        "rounds": list(rounds.values_list("stage__round_id", "stage__round__name").distinct()),
    }
    return render(request, "training/runs/list.html", context)


def _asked_for(asked: dict[str, str]) -> QuerySet[Run]:
    runs = Run.objects.filter(queue=asked["queue"] if asked["queue"] in Run.Queue.values else Run.Queue.TRAINING)
    if words := asked["q"]:
        runs = runs.filter(Q(name__icontains=words) | Q(id__icontains=words))
    if asked["recipe"]:
        runs = runs.filter(recipe=asked["recipe"])
    if asked["state"]:
        runs = runs.filter(state=asked["state"])
    if asked["round"].isdecimal() and len(asked["round"]) < 10:
        runs = runs.filter(stage__round_id=int(asked["round"]))
    if asked["warned"]:
        runs = runs.exclude(warnings=[])
    return runs


@researcher_only
@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    """Frozen files, without prompts that somebody only typed into the playground."""
    uses = RunInput.objects.filter(dataset=OuterRef("pk"))
    elsewhere = uses.exclude(run__queue=Run.Queue.PLAYGROUND)
    datasets = Dataset.objects.filter(Exists(elsewhere) | ~Exists(uses)).prefetch_related("uses__run")
    page = Paginator(datasets, PAGE).get_page(request.GET.get("page"))
    return render(request, "training/datasets/list.html", {"page": page})
