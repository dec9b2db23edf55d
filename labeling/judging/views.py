"""The researcher's judgements: the list, opening one, its course and what came out."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.http import plots, wants_part
from labeling import access
from labeling.errors import PodiumError
from labeling.guidelines.publish import ensure_first
from labeling.judging import advance
from labeling.judging.forms import MoreForm, OpenForm, SizeForm
from labeling.judging.models import Judgement
from labeling.judging.open import eligible, more_judges, more_prompts, open_judgement
from labeling.judging.result_views import results_context
from labeling.judging.size import Size, size
from labeling.judging.source import of_judgement
from labeling.models import Batch, Cohort

DONE: dict[str, tuple[Callable[[Judgement], None], str]] = {
    "pause": (advance.pause, "Paused: nobody is given any of it, and what somebody has may be finished."),
    "resume": (advance.resume, "It goes on."),
    "stop": (advance.stop, "Stopped: what was judged before stays."),
    "retry": (advance.retry, "It is tried again."),
}


@access.researcher_only
@require_safe
def judgement_list(request: HttpRequest) -> HttpResponse:
    judgements = list(Judgement.objects.select_related("created_by").annotate(compared=Count("policies"))[:200])
    batches = Batch.objects.with_progress().in_bulk([one.batch_id for one in judgements if one.batch_id])
    lines = [{"judgement": one, "batch": batches.get(one.batch_id or 0)} for one in judgements]
    return render(request, "labeling/judging/list.html", {"lines": lines})


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def judgement_open(request: HttpRequest) -> HttpResponse:
    ensure_first()
    form = OpenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = open_judgement(form.as_wish(), access.user_of(request))
        except PodiumError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Opened: the policies' completions are being sampled.")
            return redirect("judgement-detail", made.pk)
    context = {"form": form, **_size_context(SizeForm(_initial(request, form)))}
    return render(request, "labeling/judging/open.html", context, status=422 if form.errors else 200)


@access.researcher_only
@never_cache
@require_safe
def judgement_size(request: HttpRequest) -> HttpResponse:
    """The part of the opening form that follows what is typed."""
    form = SizeForm({**_defaults(), **request.GET.dict()})
    return render(request, "labeling/judging/_size.html", _size_context(form, request.GET))


def _defaults() -> dict[str, Any]:
    return {name: field.initial for name, field in SizeForm.base_fields.items()}


def _initial(request: HttpRequest, form: OpenForm) -> dict[str, Any]:
    return {**_defaults(), **request.POST.dict()} if form.is_bound else _defaults()


def _size_context(form: SizeForm, chosen: Any = None) -> dict[str, Any]:
    there = None
    if chosen and chosen.get("split"):
        there = eligible(chosen["split"], chosen.get("use_case", ""), chosen.get("source", "")).count()
    if not form.is_valid():
        return {"size": None, "size_error": "Give whole numbers of prompts and judges.", "there": there}
    wished = form.wished()
    found: Size = size(**wished)
    return {"size": found, "asked": wished, "cohort": Cohort(wished["cohort"]).label.lower(), "there": there}


@access.researcher_only
@never_cache
@plots
@require_safe
def judgement_detail(request: HttpRequest, judgement_id: int) -> HttpResponse:
    """Its course, which polls itself while something goes on, and below it what came out."""
    judgement = access.judgement_for_research(judgement_id)
    drawings = list(judgement.drawings.select_related("run"))
    done, wanted = judgement.progress
    course = {
        "judgement": judgement,
        "policies": judgement.policies.select_related("checkpoint"),
        "drawings": drawings,
        "sampling": next((drawing.run for drawing in drawings if drawing.taken_in_at is None), None),
        "done": done,
        "wanted": wanted,
        "more": MoreForm(),
        "is_live": judgement.state == Judgement.State.RUNNING,
        "may_extend": judgement.state in (Judgement.State.RUNNING, Judgement.State.DONE) and judgement.batch,
    }
    if wants_part(request):
        part = render(request, "labeling/judging/_course.html", course)
        if not course["is_live"]:
            part["HX-Refresh"] = "true"  # it has ended meanwhile: the whole page has something new to show
        return part
    context = {**course, **results_context(request, of_judgement(judgement))}
    return render(request, "labeling/judging/detail.html", context)


@access.researcher_only
@require_POST
def judgement_change(request: HttpRequest, judgement_id: int, what: str) -> HttpResponse:
    do, sentence = DONE[what]
    _tell(request, lambda: do(access.judgement_for_research(judgement_id)), sentence)
    return redirect("judgement-detail", judgement_id)


@access.researcher_only
@require_POST
def judgement_more(request: HttpRequest, judgement_id: int) -> HttpResponse:
    judgement = access.judgement_for_research(judgement_id)
    form = MoreForm(request.POST)
    if not form.is_valid() or not any(form.cleaned_data.values()):
        messages.error(request, "Say how many more prompts, or how many judges a prompt in all.")
        return redirect("judgement-detail", judgement_id)
    prompts, judges = form.cleaned_data["prompts"], form.cleaned_data["judges"]
    if judges:
        _tell(request, lambda: more_judges(judgement, judges), f"Each prompt is judged by {judges} from now on.")
    if prompts:
        _tell(request, lambda: more_prompts(judgement, prompts), f"{prompts} more prompts are being sampled.")
    return redirect("judgement-detail", judgement_id)


def _tell(request: HttpRequest, do: Callable[[], None], sentence: str) -> None:
    try:
        do()
    except PodiumError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, sentence)
