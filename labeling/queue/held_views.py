"""Pieces that wait for a researcher's look: why, and what becomes of them."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.models import Assignment, WorkItem
from labeling.queue import dispatch, skips

PAGE = 25


@access.researcher_only
@require_safe
def held_list(request: HttpRequest) -> HttpResponse:
    """What is held, longest first, with the words of those who passed it on."""
    said = Assignment.objects.filter(state=Assignment.State.SKIPPED).select_related("labeler").order_by("ended_at")
    held = (
        WorkItem.objects.filter(held_at__isnull=False, withdrawn_at=None)
        .select_related("prompt", "batch")
        .prefetch_related(Prefetch("assignments", queryset=said))
        .order_by("held_at", "pk")
    )
    page = Paginator(held, PAGE).get_page(request.GET.get("page"))
    pieces = [(item, [_word(assignment) for assignment in item.assignments.all()]) for item in page]
    return render(request, "labeling/queue/held.html", {"page": page, "pieces": pieces})


def _word(skipped: Assignment) -> tuple[str, str]:
    return skipped.labeler.pseudonym, skips.label_of(skipped.skip_reason)


@access.researcher_only
@require_POST
def held_release(request: HttpRequest, item_id: int) -> HttpResponse:
    dispatch.release(access.item_for_research(item_id))
    messages.success(request, "The piece is back at the end of the line.")
    return redirect("held-list")


@access.researcher_only
@require_POST
def held_withdraw(request: HttpRequest, item_id: int) -> HttpResponse:
    dispatch.withdraw(access.item_for_research(item_id))
    messages.success(request, "The piece is withdrawn: nobody is asked for it any more.")
    return redirect("held-list")
