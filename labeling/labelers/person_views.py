"""The admin's page about one labeler: who, in which state and why, and what may follow."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.guidelines.acknowledge import to_read
from labeling.labelers import standing
from labeling.labelers.forms import ChangeForm
from labeling.models import Acknowledgement, Assignment, Labeler

State = Labeler.State


class Act(NamedTuple):
    """A button: the state that it leads to, as the person reads it."""

    name: str
    label: str
    needs_reason: bool


ACTS: dict[str, list[Act]] = {
    State.INVITED: [Act("labeler-leave", "Has left", True)],
    State.SCREENING: [
        Act("labeler-resume", "Take on without a selection", True),
        Act("labeler-leave", "Has left", True),
    ],
    State.ACTIVE: [Act("labeler-pause", "Pause", True), Act("labeler-leave", "Has left", True)],
    State.PAUSED: [Act("labeler-resume", "Resume", False), Act("labeler-leave", "Has left", True)],
    State.LEFT: [Act("labeler-resume", "Take back", True)],
}
TOLD = {
    State.PAUSED: "is paused. What they held went back to the line; their drafts are kept.",
    State.ACTIVE: "is active and is given work.",
    State.LEFT: "has left. What they held went back to the line; what they did stays.",
}


@access.admin_only
@never_cache
@require_safe
def labeler_detail(request: HttpRequest, pseudonym: str) -> HttpResponse:
    labeler = access.labeler_for_admin(pseudonym)
    return _page(request, labeler, ChangeForm(initial={"seen": labeler.state}))


@access.admin_only
@require_POST
def labeler_change(request: HttpRequest, pseudonym: str, after: str) -> HttpResponse:
    """Pauses, resumes, or lets go, for a reason; what cannot be done comes back with its sentence."""
    labeler = access.labeler_for_admin(pseudonym)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, labeler, form, status=422)
    try:
        standing.change(labeler, State(after), by=access.user_of(request), **form.cleaned_data)
    except PodiumError as error:
        # The next click is of somebody who has seen the state as it is now.
        form = ChangeForm({"why": form.cleaned_data["why"], "seen": labeler.state})
        form.is_valid()
        form.add_error("why", error.sentence)
        return _page(request, labeler, form, status=error.status)
    messages.success(request, f"{labeler.pseudonym} {TOLD[State(after)]}")
    return redirect("labeler-detail", labeler.pseudonym)


def _page(request: HttpRequest, labeler: Labeler, form: ChangeForm, *, status: int = 200) -> HttpResponse:
    done = labeler.assignments.filter(state=Assignment.State.DONE)
    context = {
        "labeler": labeler,
        "form": form,
        "acts": [
            (act, reverse(act.name, args=[labeler.pseudonym]))
            for act in ACTS[labeler.state]
            if not labeler.is_simulated
        ],
        "changes": labeler.changes.select_related("by"),
        "acknowledged": Acknowledgement.objects.filter(labeler=labeler)
        .select_related("guideline")
        .order_by("-acknowledged_at"),
        "to_read": to_read(labeler) if labeler.must_read else [],
        "done": done.count(),
        "last_done": done.order_by("-ended_at").values_list("ended_at", flat=True).first(),
        "holds": labeler.assignments.filter(state=Assignment.State.LEASED).count(),
    }
    return render(request, "labeling/labelers/detail.html", context, status=status)
