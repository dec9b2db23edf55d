"""The labeler's home, claiming, and the lease: renewed or given back. Also the researcher's batch page."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.http import wants_part
from labeling import access
from labeling.errors import BadInput, Conflict, PodiumError
from labeling.models import Assignment, Kind, Labeler, Role
from labeling.queue import dispatch
from labeling.queue.forms import SKIP_REASONS, SkipForm
from labeling.queue.home import start_page, work_of
from labeling.threads.talk import unread

PAGES = {Kind.DEMONSTRATE: "demonstration-write", Kind.RANK: "ranking-submit"}


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start page of each role: a labeler's work, a researcher's rounds, an admin's labelers."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    roles = access.user_of(request).roles
    if Role.LABELER in roles:
        page = start_page(access.labeler_of(request)) | {"unread": unread(access.user_of(request))}
        return render(request, "labeling/queue/home.html", page)
    if Role.RESEARCHER in roles:
        return redirect("round-list")
    if Role.ADMIN in roles:
        return redirect("labeler-list")
    return render(request, "labeling/queue/no_role.html")


@access.labeler_only
@require_POST
def claim_next(request: HttpRequest, kind: str) -> HttpResponse:
    """Claims the labeler's next piece (or the one they hold) and goes there."""
    return go_to_next(access.working_labeler_of(request), access.kind_of(kind))


def go_to_next(labeler: Labeler, kind: Kind, *, just_ended: bool = False) -> HttpResponse:
    """Where a labeler goes after 'start', after a submit and after a skip."""
    if dispatch.why_not(labeler):
        return redirect("home")
    assignment = dispatch.claim(labeler, kind, just_ended=just_ended)
    return redirect(PAGES[kind], assignment.pk) if assignment else redirect("queue-nothing", kind.value)


@access.labeler_only
@never_cache
@require_safe
def nothing(request: HttpRequest, kind: str) -> HttpResponse:
    """The honest empty state: whether anything may come back, and when."""
    wanted = access.kind_of(kind)
    work = next(work for work in work_of(access.labeler_of(request)) if work.kind == wanted)
    return render(request, "labeling/queue/nothing.html", {"work": work})


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
        return render(request, "labeling/queue/_lease.html", {"lease_lost": error.sentence}, status=error.status)
    if not wants_part(request):
        return redirect(PAGES[Kind(assignment.item.batch.kind)], assignment.pk)
    return render(request, "labeling/queue/_lease.html", {"assignment": assignment})


@access.labeler_only
@require_POST
def skip(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Gives the piece to somebody else and goes to the next one."""
    form = SkipForm(request.POST)
    if not form.is_valid():
        raise BadInput("This reason is not one of those on the page; nothing was skipped.")
    labeler = access.labeler_of(request)
    skipped = dispatch.skip(labeler, assignment_id, form.cleaned_data["reason"])
    return go_to_next(labeler, Kind(skipped.item.batch.kind), just_ended=True)


def workbench(assignment: Assignment) -> dict[str, Any]:
    """What the writing page and the ranking page have in common."""
    late = assignment.state == Assignment.State.EXPIRED
    return {
        "assignment": assignment,
        "prompt": assignment.item.prompt,
        "guideline": assignment.item.batch.guideline,
        "skip_reasons": SKIP_REASONS,
        "lease_lost": "Your time ran out. You can still send it in, as long as nobody else has taken it over."
        if late
        else "",
    }


def why_closed(assignment: Assignment) -> Conflict | None:
    """Why a page for this piece would be in vain; None where it may still be sent in."""
    if assignment.state == Assignment.State.DONE:
        return Conflict("You have sent this in already. It is stored.")
    if assignment.state == Assignment.State.SKIPPED:
        return Conflict("You skipped this piece, and it went to somebody else.")
    if assignment.state == Assignment.State.EXPIRED and not assignment.item.is_open:
        return Conflict("Your time for this piece ran out, and nothing more is wanted for it.")
    return None


def ended(request: HttpRequest, kind: Kind, error: PodiumError, words: str = "") -> HttpResponse:
    """The piece is not to be had any more; the sentence says why, and what was written is given back."""
    context = {"sentence": error.sentence, "kind": kind, "words": words}
    return render(request, "labeling/queue/ended.html", context, status=error.status)


@access.researcher_only
@require_safe
def batch_detail(request: HttpRequest, batch_id: int) -> HttpResponse:
    """How far a batch is, and who worked on it."""
    batch = access.batch_for_research(batch_id)
    workers = (
        Labeler.objects.filter(assignments__item__batch=batch)
        .annotate(
            done=Count("assignments", filter=Q(assignments__state=Assignment.State.DONE)),
            skipped=Count("assignments", filter=Q(assignments__state=Assignment.State.SKIPPED)),
        )
        .order_by("-done", "pseudonym")
    )
    return render(request, "labeling/queue/batch.html", {"batch": batch, "workers": workers})
