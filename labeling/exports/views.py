"""A frozen dataset's page, freezing rankings by hand, and whose labels are left out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.exports import exclude, freeze
from labeling.exports.forms import ExclusionForm, FreezeForm
from labeling.exports.models import Exclusion
from labeling.models import Ranking
from training.models import Dataset

APART = {"excluded", "adjudicated"}  # shown in words of their own


@access.researcher_only
@never_cache
@require_safe
def dataset_detail(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """What is in the file, what was asked for, and whose labels were left out for which reason."""
    dataset = get_object_or_404(Dataset.objects.prefetch_related("uses__run", "exports"), pk=dataset_id)
    exports = [
        {"row": row, "asked": {name: value for name, value in row.filters.items() if name not in APART}}
        for row in dataset.exports.all()
    ]
    return render(request, "labeling/exports/dataset.html", {"dataset": dataset, "exports": exports})


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def freeze_rankings(request: HttpRequest) -> HttpResponse:
    form = FreezeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        batches, split = form.cleaned_data["batches"], form.cleaned_data["split"]
        chosen = Ranking.objects.filter(item__batch__in=batches)
        filters = {"batches": [batch.pk for batch in batches]}
        if split:
            chosen, filters = chosen.filter(item__prompt__split=split), {**filters, "split": split}
        try:
            dataset = freeze.freeze_rankings(chosen, filters=filters, adjudicated=form.cleaned_data["adjudicated"])
        except PodiumError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"Frozen: {dataset.rows} rows.")
            return redirect("dataset-detail", dataset.pk)
    context = {"form": form, "standing": exclude.standing()}
    return render(request, "labeling/exports/freeze.html", context, status=422 if form.is_bound else 200)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def exclusion_list(request: HttpRequest) -> HttpResponse:
    """Who is left out, who was, and one more."""
    form = ExclusionForm(
        request.POST if request.method == "POST" else None, initial={"labeler": request.GET.get("labeler")}
    )
    if form.is_valid():
        labeler = form.cleaned_data["labeler"]
        try:
            exclude.exclude(labeler, form.cleaned_data["reason"], access.user_of(request))
        except PodiumError as error:
            form.add_error("reason", error.sentence)
        else:
            messages.success(request, f"{labeler} is left out of the datasets frozen from now on. Nothing was deleted.")
            return redirect("exclusion-list")
    lifted = Exclusion.objects.exclude(lifted_at=None).select_related("labeler", "made_by", "lifted_by")
    context = {"form": form, "standing": exclude.standing(), "lifted": lifted}
    return render(request, "labeling/exports/exclusions.html", context, status=422 if form.is_bound else 200)


@access.researcher_only
@require_POST
def exclusion_lift(request: HttpRequest, exclusion_id: int) -> HttpResponse:
    exclusion = get_object_or_404(Exclusion.objects.select_related("labeler"), pk=exclusion_id)
    try:
        exclude.lift(exclusion, access.user_of(request))
    except PodiumError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, f"The labels of {exclusion.labeler} count again from the next dataset on.")
    return redirect("exclusion-list")
