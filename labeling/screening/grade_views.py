"""Blind grading, one demonstration a page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.models import Grade
from labeling.screening.grade import grade, to_grade

GRADES = range(1, 8)


@access.researcher_only
@never_cache
@require_safe
def grade_next(request: HttpRequest, set_id: int) -> HttpResponse:
    """Leads to a demonstration that this researcher has not graded, or says that there is none."""
    screening_set = access.screening_set_for_office(set_id)
    waiting = to_grade(access.user_of(request), screening_set).first()
    last = request.GET.get("last", "")
    if waiting:
        address = reverse("screening-grade-one", args=[waiting.pk])
        return redirect(f"{address}?last={last}" if _uuid(last) else address)
    context = {"set": screening_set, "last": _uuid(last)}
    return render(request, "labeling/screening/graded.html", context)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def grade_one(request: HttpRequest, response_id: UUID) -> HttpResponse:
    user = access.user_of(request)
    response = access.demonstration_to_grade(user, response_id)
    screening_set = response.item.screening_set
    error, status = "", 200
    if request.method == "POST":
        said = request.POST.get("grade", "")
        try:
            grade(user, response, int(said) if said in map(str, GRADES) else 0)
        except PodiumError as refused:
            error, status = refused.sentence, refused.status
        else:
            return redirect(f"{reverse('screening-grade', args=[screening_set.pk])}?last={response.pk}")
    mine = Grade.objects.filter(response=response, researcher=user).first()
    context = {
        "set": screening_set,
        "response": response,
        "grades": GRADES,
        "given": mine.grade if mine else None,
        "left": to_grade(user, screening_set).count(),
        "last": _uuid(request.GET.get("last", "")),
        "error": error,
    }
    return render(request, "labeling/screening/grade.html", context, status=status)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
