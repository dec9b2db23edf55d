"""The labeler's home, claiming, skipping, looking back; what work pages share. Also the researcher's batch page."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.http import words_of
from labeling import access
from labeling.errors import Conflict, PodiumError
from labeling.models import Assignment, Kind, Labeler, Role
from labeling.quality import known
from labeling.queue import dispatch, drafts, ledger, skips
from labeling.queue.home import is_resting, start_page, work_of
from labeling.queue.recent import last_pieces
from labeling.screening import candidate_views as candidate
from labeling.threads.talk import unread

PAGES = {Kind.DEMONSTRATE: "demonstration-write", Kind.RANK: "ranking-submit", Kind.PROPOSE: "proposal-write"}


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start page of each role: a labeler's work, a researcher's rounds, an admin's labelers."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    roles = access.user_of(request).roles
    if Role.LABELER in roles:
        labeler = access.labeler_of(request)
        if labeler.state == Labeler.State.SCREENING or labeler.was_declined:
            return candidate.home(request, labeler)
        page = start_page(labeler) | {"unread": unread(access.user_of(request))}
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
    if assignment is None:
        return redirect("queue-nothing", kind.value)
    if not just_ended:  # else what has just ended was the sign
        ledger.sign(labeler.pk, assignment.pk)
    return redirect(PAGES[kind], assignment.pk)


@access.labeler_only
@never_cache
@require_safe
def nothing(request: HttpRequest, kind: str) -> HttpResponse:
    """The honest empty state: whether anything may come back, and when."""
    wanted = access.kind_of(kind)
    labeler = access.labeler_of(request)
    work = next(work for work in work_of(labeler) if work.kind == wanted)
    context = {"work": work, "is_resting": is_resting(labeler, wanted)}
    return render(request, "labeling/queue/nothing.html", context)


@access.labeler_only
@require_POST
def skip(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Passes the piece on and goes to the next one, which says so and can undo it."""
    labeler = access.labeler_of(request)
    skipped = dispatch.skip(labeler, assignment_id, request.POST.get("reason", ""))
    ledger.sign(labeler.pk, skipped.pk)
    kind = Kind(skipped.item.batch.kind)
    following = go_to_next(labeler, kind, just_ended=True)
    came_back = following.headers["Location"] == reverse(PAGES[kind], args=[skipped.pk])
    context = {"skipped": skipped, "reason": skips.reason_for(skipped.skip_reason), "came_back": came_back}
    messages.info(request, render_to_string("labeling/queue/_skipped.html", context, request))
    return following


@access.labeler_only
@require_POST
def take_back(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Undoes a skip and goes to the piece."""
    labeler = access.labeler_of(request)
    assignment = dispatch.take_back(labeler, assignment_id)
    ledger.sign(labeler.pk, assignment.pk)
    return redirect(PAGES[Kind(assignment.item.batch.kind)], assignment.pk)


@access.labeler_only
@never_cache
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """'Back': the labeler's last pieces, to look at, correct or take back."""
    pieces = [(piece, PAGES[piece.kind]) for piece in last_pieces(access.labeler_of(request))]
    return render(request, "labeling/queue/recent.html", {"pieces": pieces})


def workbench(assignment: Assignment) -> dict[str, Any]:
    """What the work pages have in common. The assignment is one of `access.assignment_of`."""
    late = assignment.state == Assignment.State.EXPIRED
    return {
        "assignment": assignment,
        "prompt": assignment.item.prompt,
        "guideline": assignment.item.batch.guideline,
        "skip_reasons": skips.REASONS,
        "draft_revision": drafts.revision_of(assignment),
        "lease_lost": "Your time ran out. You can still send it in, as long as nobody else has taken it over."
        if late
        else "",
    }


def why_closed(assignment: Assignment, *, correctable: bool = False) -> Conflict | None:
    """Why a page for this piece would be in vain; None where it may still be sent in, or else corrected."""
    if assignment.state == Assignment.State.DONE:
        return None if correctable else Conflict("You have sent this in already. It is stored.")
    if assignment.state == Assignment.State.SKIPPED:
        return Conflict("You skipped this piece, and it went to somebody else.")
    if assignment.state == Assignment.State.EXPIRED and not assignment.item.is_open:
        return Conflict("Your time for this piece ran out, and nothing more is wanted for it.")
    return None


def ended(request: HttpRequest, labeler: Labeler, assignment_id: UUID, kind: Kind, error: PodiumError) -> HttpResponse:
    """The piece is not to be had any more: the sentence says why, and the words are there to be copied.

    What was sent in too late is kept, with thanks.
    """
    assignment = access.assignment_of(labeler, assignment_id, kind)
    posted = request.POST if request.method == "POST" else drafts.fields_of(assignment)
    late = request.method == "POST" and assignment.state != Assignment.State.DONE
    context = {
        "sentence": error.sentence,
        "kind": kind,
        "words": words_of(posted) if posted else "",
        "kept": late and drafts.keep_late(assignment, request.POST) is not None,
    }
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
    held = batch.items.filter(held_at__isnull=False, withdrawn_at=None).count()
    context = {"batch": batch, "workers": workers, "held": held, "mixed": known.mixed(batch)}
    return render(request, "labeling/queue/batch.html", context)
