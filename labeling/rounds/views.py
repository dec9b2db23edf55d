"""The researcher's rounds: the list, and one round's loop stage by stage."""

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from config.http import page_or_part
from labeling import access
from labeling.models import Round, Stage
from labeling.rounds import advance
from labeling.rounds.progress import loop_of, results_of

PAGE = 30


@access.researcher_only
@require_safe
def round_list(request: HttpRequest) -> HttpResponse:
    done = Count("stages", filter=Q(stages__state=Stage.State.DONE))
    rounds = Round.objects.select_related("created_by").annotate(stages_done=done, stages_all=Count("stages"))
    page = Paginator(rounds.order_by("-created_at"), PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/rounds/list.html", {"page": page})


@access.researcher_only
@require_safe
def round_detail(request: HttpRequest, round_id: int) -> HttpResponse:
    """The loop as a row of stages. The part polls itself while something is going on."""
    round_ = access.round_for_research(round_id)
    context = {
        "round": round_,
        "loop": loop_of(round_),
        "results": results_of(round_),
        "is_live": round_.state == Round.State.RUNNING,
    }
    return page_or_part(request, "labeling/rounds/detail.html", "labeling/rounds/_loop.html", context)


@access.researcher_only
@require_POST
def stage_retry(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    advance.retry(access.stage_for_research(round_id, name))
    return redirect("round-detail", round_id)


@access.researcher_only
@require_POST
def stage_go_on(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    advance.go_on(access.stage_for_research(round_id, name))
    return redirect("round-detail", round_id)
