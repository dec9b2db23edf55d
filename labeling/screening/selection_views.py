"""The selection screen: candidates without names, the criteria, and the admin's decision."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.models import ScreeningSet, Sitting
from labeling.screening import selection as choose
from labeling.screening.forms import DecisionForm


@access.admin_only
@never_cache
@require_safe
def selection(request: HttpRequest, set_id: int) -> HttpResponse:
    return _page(request, access.screening_set_for_office(set_id))


@access.admin_only
@require_POST
def decide(request: HttpRequest, sitting_id: UUID) -> HttpResponse:
    """Selects or declines; a decision against the cut-offs comes back until it has its reason."""
    sitting = access.candidate_for_admin(access.user_of(request), sitting_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _page(request, sitting.screening_set, of=sitting, error=sentence, status=422)
    try:
        choose.decide(sitting, by=access.user_of(request), **form.cleaned_data)
    except PodiumError as refused:
        return _page(request, sitting.screening_set, of=sitting, error=refused.sentence, status=refused.status)
    said = "selected and can work now" if form.cleaned_data["chosen"] else "declined"
    messages.success(request, f"Candidate {sitting.label} is {said}.")
    return _back(sitting)


@access.admin_only
@require_POST
def undo(request: HttpRequest, sitting_id: UUID) -> HttpResponse:
    sitting = access.candidate_for_admin(access.user_of(request), sitting_id)
    choose.undo(sitting, by=access.user_of(request))
    messages.success(request, f"Candidate {sitting.label} is undecided again; both changes stay in the history.")
    return _back(sitting)


def _back(sitting: Sitting) -> HttpResponse:
    address = reverse("screening-selection", args=[sitting.screening_set_id])
    return redirect(f"{address}#candidate-{sitting.label}")


def _page(
    request: HttpRequest, screening_set: ScreeningSet, *, of: Sitting | None = None, error: str = "", status: int = 200
) -> HttpResponse:
    """`error` is said beside the candidate that it is `of`."""
    rows = choose.candidates(screening_set)
    context = {
        "set": screening_set,
        "rows": rows,
        "at_work": screening_set.sittings.filter(sent_in_at=None).count(),
        "of": of.pk if of else None,
        "error": error,
        "why": request.POST.get("why", ""),
    }
    return render(request, "labeling/screening/selection.html", context, status=status)
