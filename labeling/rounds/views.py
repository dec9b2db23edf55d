"""The researcher's rounds: the list, one round's loop stage by stage, and what can be done about it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from config.http import page_or_part, wants_part
from labeling import access
from labeling.models import Round, RoundEvent, Stage
from labeling.queue.settings import MAX_WEIGHT
from labeling.rounds import budget, control, take_up, timeline
from labeling.rounds.progress import left_of, loop_of, results_of, spending_of
from labeling.rounds.retry_form import RetryForm

PAGE = 30
EVENTS = 12  # of the timeline on a round's page; its own page has them all


@access.researcher_only
@require_safe
def round_list(request: HttpRequest) -> HttpResponse:
    """All rounds, newest first. The part polls itself while one of those on the page goes on."""
    wanted = request.GET.get("state", "")
    done = Count("stages", filter=Q(stages__state=Stage.State.DONE))
    rounds = Round.objects.select_related("created_by").defer("settings")
    rounds = rounds.annotate(stages_done=done, stages_all=Count("stages")).order_by("-created_at")
    chosen = rounds.filter(state=wanted) if wanted in Round.State.values else rounds
    page = Paginator(chosen, PAGE).get_page(request.GET.get("page"))
    spent = budget.spent_by(round_.pk for round_ in page)
    context = {
        "page": page,
        "rows": [(round_, spent.get(round_.pk, budget.Spent())) for round_ in page],
        "states": Round.State.choices,
        "wanted": wanted,
        "is_live": any(round_.state == Round.State.RUNNING for round_ in page),
    }
    return page_or_part(request, "labeling/rounds/list.html", "labeling/rounds/_rows.html", context)


@access.researcher_only
@require_safe
def round_detail(request: HttpRequest, round_id: int) -> HttpResponse:
    """The loop as a row of stages, which polls itself while the round goes on.

    What changes only with an event (the timeline, what can be done, the results) comes with a poll only where the page
    has not `seen` the last one.
    """
    round_ = access.round_for_research(round_id)
    loop = loop_of(round_)
    context: dict[str, Any] = {
        "round": round_,
        "loop": loop,
        "left": left_of(round_, loop),
        "spending": spending_of(round_, loop),
        "is_live": round_.state == Round.State.RUNNING or any(step.is_stopping for step in loop),
        "oob": wants_part(request) and request.GET.get("seen") != str(round_.last_event),
    }
    if context["oob"] or not wants_part(request):
        context |= {
            "results": results_of(round_),
            "lines": timeline.lines(_events(round_)[:EVENTS]),
            "more": _events(round_).count() - EVENTS,
            "budget": budget.of(round_),
            "weight": control.weight_of(round_),
            "most_weight": MAX_WEIGHT,
        }
    return page_or_part(request, "labeling/rounds/detail.html", "labeling/rounds/_loop.html", context)


@access.researcher_only
@require_GET
def round_timeline(request: HttpRequest, round_id: int) -> HttpResponse:
    round_ = access.round_for_research(round_id)
    page = Paginator(_events(round_), PAGE).get_page(request.GET.get("page"))
    context = {"round": round_, "page": page, "lines": timeline.lines(page)}
    return render(request, "labeling/rounds/timeline.html", context)


def _events(round_: Round) -> Any:
    return RoundEvent.objects.filter(round=round_).select_related("who__labeler")


@access.researcher_only
@require_POST
def round_pause(request: HttpRequest, round_id: int) -> HttpResponse:
    control.pause(_pk(round_id), access.user_of(request))
    messages.success(request, "The round is paused. Runs save and stop, and labelers may finish what they hold.")
    return redirect("round-detail", round_id)


@access.researcher_only
@require_POST
def round_resume(request: HttpRequest, round_id: int) -> HttpResponse:
    control.resume(_pk(round_id), access.user_of(request))
    messages.success(request, "The round goes on from where it was.")
    return redirect("round-detail", round_id)


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def round_stop(request: HttpRequest, round_id: int) -> HttpResponse:
    """Asks first: it is for good."""
    round_ = access.round_for_research(round_id)
    if request.method == "POST":
        control.stop(round_id, access.user_of(request))
        messages.success(request, "The round is stopped. Its labels, runs and checkpoints are kept.")
        return redirect("round-detail", round_id)
    loop = loop_of(round_)
    context = {
        "round": round_,
        "spent": budget.spent(round_),
        "running": [step.stage.name for step in loop if step.stage.state == Stage.State.RUNNING],
    }
    return render(request, "labeling/rounds/stop.html", context)


@access.researcher_only
@require_POST
def round_weigh(request: HttpRequest, round_id: int) -> HttpResponse:
    control.weigh(_pk(round_id), request.POST.get("weight", ""), access.user_of(request))
    messages.success(request, "The round has another priority from now on.")
    return redirect("round-detail", round_id)


@access.researcher_only
@require_POST
def round_budget(request: HttpRequest, round_id: int) -> HttpResponse:
    control.set_budget(_pk(round_id), request.POST.dict(), access.user_of(request))
    messages.success(request, "The round has another budget from now on.")
    return redirect("round-detail", round_id)


@access.researcher_only
@require_POST
def stage_retry(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    take_up.retry(access.stage_for_research(round_id, name), access.user_of(request))
    return redirect("round-detail", round_id)


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def stage_settings(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    """A failed or stopped stage again, with other settings than before."""
    stage = access.stage_for_research(round_id, name)
    if stage.run is None:
        raise Http404
    form = RetryForm(request.POST if request.method == "POST" else None, stage=stage)
    if form.is_valid():
        take_up.retry(stage, access.user_of(request), form.spec())
        messages.success(request, "The stage is tried again with these settings.")
        return redirect("round-detail", round_id)
    context = {"round": stage.round, "stage": stage, "form": form}
    return render(request, "labeling/rounds/settings.html", context, status=422 if form.is_bound else 200)


@access.researcher_only
@require_POST
def stage_take_up(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    take_up.take_up(access.stage_for_research(round_id, name), access.user_of(request))
    return redirect("round-detail", round_id)


@access.researcher_only
@require_POST
def stage_go_on(request: HttpRequest, round_id: int, name: str) -> HttpResponse:
    take_up.go_on(access.stage_for_research(round_id, name), access.user_of(request))
    return redirect("round-detail", round_id)


def _pk(round_id: int) -> int:
    """The round's, if there is one; else 404."""
    return access.round_for_research(round_id).pk
