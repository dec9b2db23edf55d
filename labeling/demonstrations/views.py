"""The writing page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling import access
from labeling.demonstrations.submit import submit
from labeling.errors import BadInput, Conflict
from labeling.models import Assignment, Kind
from labeling.queue import drafts
from labeling.queue.views import ended, go_to_next, why_closed, workbench


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """One prompt, one text. A text that is refused comes back with the reason; no word is lost."""
    labeler = access.labeler_of(request)
    if request.method != "POST":
        assignment = access.assignment_of(labeler, assignment_id, Kind.DEMONSTRATE)
        draft = drafts.fields_of(assignment)
        return _page(request, assignment, str(draft.get("text", "")) if draft else "")
    text = request.POST.get("text", "")
    try:
        submit(labeler, assignment_id, text)
    except BadInput as error:
        return _page(request, access.assignment_of(labeler, assignment_id, Kind.DEMONSTRATE), text, error)
    except Conflict as error:
        return ended(request, labeler, assignment_id, Kind.DEMONSTRATE, error)
    return go_to_next(labeler, Kind.DEMONSTRATE, just_ended=True)


def _page(request: HttpRequest, assignment: Assignment, text: str = "", error: BadInput | None = None) -> HttpResponse:
    if closed := why_closed(assignment):
        return ended(request, assignment.labeler, assignment.pk, Kind.DEMONSTRATE, closed)
    context = {**workbench(assignment), "text": text, "error": error.sentence if error else ""}
    return render(request, "labeling/demonstrations/write.html", context, status=error.status if error else 200)
