"""The page on which a labeler writes a prompt: plain, few-shot, or for a use that is given."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling import access
from labeling.errors import BadInput, Conflict
from labeling.models import Assignment, Kind, Shape, UseCase
from labeling.proposals.forms import Written, blank, read, stored
from labeling.proposals.submit import MAX_PAIRS, MIN_PAIRS, correct, submit, why_final
from labeling.queue import drafts
from labeling.queue.views import ended, go_to_next, why_closed, workbench

FIRST_PAIRS = 3


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """A brief, and the prompt that a labeler writes to it; what is refused comes back.

    Without a script, pairs are added and removed here (`act`), and nothing is sent in by that. What was sent in is
    shown for correction until a researcher has decided.
    """
    labeler = access.labeler_of(request)
    if request.method != "POST":
        assignment = access.assignment_of(labeler, assignment_id, Kind.PROPOSE)
        return _page(request, assignment, _known(assignment))
    written = read(request.POST)
    if changed := _with_other_pairs(written, request.POST.get("act", "")):
        return _page(request, access.assignment_of(labeler, assignment_id, Kind.PROPOSE), changed)
    correcting = "correction" in request.POST
    act = correct if correcting else submit
    try:
        act(labeler, assignment_id, written.text, use_case=written.use_case, pairs=written.pairs)
    except BadInput as error:
        return _page(request, access.assignment_of(labeler, assignment_id, Kind.PROPOSE), written, error)
    except Conflict as error:
        return ended(request, labeler, assignment_id, Kind.PROPOSE, error)
    if correcting:
        messages.success(request, "Your correction is stored.")
        return redirect("work-recent")
    return go_to_next(labeler, Kind.PROPOSE, just_ended=True)


def _with_other_pairs(written: Written, act: str) -> Written | None:
    """The form with a pair more or less, where one of those buttons was pressed."""
    if act == "add":
        return written.with_pair()
    name, _, number = act.partition("-")
    if name == "remove" and len(number) == 1 and number in "123456789":
        return written.without_pair(int(number) - 1)
    return None


def _known(assignment: Assignment) -> Written:
    """What the page starts with: the draft, else what was sent in, else room for some pairs."""
    if draft := drafts.fields_of(assignment):
        return read(draft)
    if assignment.state == Assignment.State.DONE:
        return stored(assignment.proposal)
    return Written(pairs=[blank() for _ in range(FIRST_PAIRS)])


def _page(
    request: HttpRequest, assignment: Assignment, written: Written, error: BadInput | None = None
) -> HttpResponse:
    correcting = assignment.state == Assignment.State.DONE
    if closed := why_final(assignment.proposal) if correcting else why_closed(assignment):
        return ended(request, assignment.labeler, assignment.pk, Kind.PROPOSE, closed)
    brief = assignment.item.brief or {}
    context = {
        **workbench(assignment),
        "brief": brief,
        "brief_use_case": UseCase(brief["use_case"]).label if brief["use_case"] else "",
        "is_few_shot": brief["shape"] == Shape.FEW_SHOT,
        "is_user_based": brief["shape"] == Shape.USER_BASED,
        "written": written.shown(),
        "use_cases": UseCase.choices,
        "min_pairs": MIN_PAIRS,
        "max_pairs": MAX_PAIRS,
        "correcting": correcting,
        "error": error.sentence if error else "",
    }
    return render(request, "labeling/proposals/write.html", context, status=error.status if error else 200)
