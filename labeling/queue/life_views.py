"""What the scripts of a work page say while somebody is at work: I am here, keep this draft, keep my lease."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.http import wants_part
from labeling import access
from labeling.errors import BadInput, Conflict
from labeling.models import Kind
from labeling.queue import dispatch, drafts, ledger
from labeling.queue.views import PAGES


@access.labeler_only
@require_POST
def active(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Somebody is at work on this piece, now."""
    labeler = access.labeler_of(request)
    assignment = access.piece_of(labeler, assignment_id)
    ledger.sign(labeler.pk, assignment.pk)
    dispatch.keep_alive(assignment)
    return HttpResponse(status=204)


@access.labeler_only
@require_POST
def draft(request: HttpRequest, assignment_id: UUID) -> JsonResponse:
    """Stores the page's fields. `?base=` names the revision that the page knows; 409 brings a newer one."""
    labeler = access.labeler_of(request)
    base = request.GET.get("base", "")
    if not (base.isascii() and base.isdigit() and len(base) <= 10):
        raise BadInput("A draft names the revision it began with.")
    try:
        stored = drafts.save(labeler, assignment_id, drafts.pairs(request.POST), int(base))
    except drafts.Newer as newer:
        fields = drafts.unpacked(newer.stored)
        answer = {"error": newer.sentence, "revision": newer.stored.revision, "fields": fields}
        return JsonResponse(answer, status=newer.status)
    return JsonResponse({"revision": stored.revision, "saved_at": stored.saved_at.isoformat()})


@access.labeler_only
@require_POST
def renew(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """The lease's line on the page, lengthened, or with the reason why it has ended."""
    labeler = access.labeler_of(request)
    try:
        assignment = dispatch.renew(labeler, assignment_id)
    except Conflict as error:
        if not wants_part(request):
            raise
        context = {"assignment": access.piece_of(labeler, assignment_id), "lease_lost": error.sentence}
        return render(request, "labeling/queue/_lease.html", context, status=error.status)
    ledger.sign(labeler.pk, assignment.pk)
    if not wants_part(request):
        return redirect(PAGES[Kind(assignment.item.batch.kind)], assignment.pk)
    return render(request, "labeling/queue/_lease.html", {"assignment": assignment})
