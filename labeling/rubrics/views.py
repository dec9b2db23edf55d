"""The rubric as researchers see it: what is asked now, what was asked before, the next version."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.models import Rubric
from labeling.rubrics import first, publish
from labeling.rubrics.forms import RubricForm, asked_by


@access.researcher_only
@never_cache
@require_safe
def rubric_list(request: HttpRequest) -> HttpResponse:
    return _page(request, RubricForm.showing(publish.current()))


@access.researcher_only
@require_POST
def rubric_publish(request: HttpRequest) -> HttpResponse:
    form = RubricForm(request.POST)
    if form.is_valid() and _same(form.cleaned_data, asked_by(publish.current())):
        form.add_error(None, "Nothing has changed since the version in force, so there is nothing to publish.")
    if not form.is_valid():
        return _page(request, form, status=422)
    rubric = publish.publish(**form.cleaned_data)
    messages.success(request, f"{rubric} is in force for batches that are opened from now on.")
    return redirect("rubric-list")


def _same(sent: dict[str, Any], current: dict[str, Any]) -> bool:
    """In whatever order things were ticked."""
    return sent["ratings"] == current["ratings"] and all(
        set(sent[name]) == set(current[name]) for name in ("flags", "traits")
    )


def _page(request: HttpRequest, form: RubricForm, *, status: int = 200) -> HttpResponse:
    current = publish.current()
    context = {
        "form": form,
        "current": current,
        "earlier": Rubric.objects.exclude(pk=current.pk).annotate(batch_count=Count("batches")),
        "groups": [
            {"field": form["flags"], "questions": first.FLAGS, "chosen": form.chosen("flags")},
            {"field": form["traits"], "questions": first.TRAITS, "chosen": form.chosen("traits")},
        ],
    }
    return render(request, "labeling/rubrics/list.html", context, status=status)
