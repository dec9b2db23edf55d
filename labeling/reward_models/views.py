"""Reward models for researchers: how far each can be trusted, and where it contradicts labelers."""

import csv
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.http import page_or_part, plots
from labeling import access
from labeling.errors import BadInput, Conflict
from labeling.figures.table import safe
from labeling.models import Prompt, WorkItem
from labeling.reward_models import report, scored, scoring, verdicts
from labeling.reward_models.contradictions import Contradiction, contradictions
from labeling.reward_models.forms import WORDS, ContradictionFilter, word_on
from labeling.reward_models.models import Verdict
from training.models import Checkpoint

PAGE = 20
HEAD = [
    "ranking", "item", "prompt_id", "use_case", "cohort", "labeler", "preferred", "other", "preferred_place",
    "other_place", "probability", "spread", "confidence", "verdict", "by", "at",
]  # fmt: skip


@access.researcher_only
@never_cache
@require_safe
def model_list(request: HttpRequest) -> HttpResponse:
    models = Checkpoint.objects.filter(kind=Checkpoint.Kind.REWARD_MODEL).select_related("run")
    page = Paginator(models, PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/reward_models/list.html", {"page": page})


@access.researcher_only
@never_cache
@plots
@require_safe
def model_detail(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    """While a scoring runs, its part polls itself."""
    checkpoint = access.reward_model_for_research(checkpoint_id)
    last = scored.runs(checkpoint).first()
    context: dict[str, Any] = {
        "checkpoint": checkpoint,
        "last": last,
        "is_live": last is not None and last.state in scored.LIVE,
    }
    if not request.htmx:  # type: ignore[attr-defined]
        scores = scored.read(checkpoint)
        found = report.of(checkpoint, scores)
        work = contradictions(scores.scored) if scores else []
        said = verdicts.holding(checkpoint)
        context |= {
            "report": found,
            "contradicted": len(work),
            "unsaid": sum(not word_on(one, said) for one in work),
            "plotted": {"quality": found["quality"], "trained": found["trained"]},
        }
    elif not context["is_live"]:
        response = HttpResponse()
        response["HX-Refresh"] = "true"  # the figures are there
        return response
    return page_or_part(request, "labeling/reward_models/detail.html", "labeling/reward_models/_scoring.html", context)


@access.researcher_only
@never_cache
@require_safe
def model_csv(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    checkpoint = access.reward_model_for_research(checkpoint_id)
    found = report.of(checkpoint, scored.read(checkpoint))
    return _file(report.as_csv(found), f"reward-model-{checkpoint.pk}.csv")


@access.researcher_only
@require_POST
def model_score(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    scoring.score(access.reward_model_for_research(checkpoint_id))
    return redirect("reward-model", checkpoint_id)


@access.researcher_only
@never_cache
@require_safe
def contradiction_list(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    """The work list, the most confident contradiction first."""
    checkpoint = access.reward_model_for_research(checkpoint_id)
    scores, said = scored.read(checkpoint), verdicts.holding(checkpoint)
    form = ContradictionFilter(request.GET)
    found = contradictions(scores.scored) if scores else []
    page = Paginator(form.narrowed(found, said), PAGE).get_page(request.GET.get("page"))
    prompts = Prompt.objects.in_bulk([one.prompt for one in page])
    by_id = {str(pk): prompt for pk, prompt in prompts.items()}
    several = set(WorkItem.objects.filter(pk__in=[one.item for one in page], done__gte=2).values_list("pk", flat=True))
    context = {
        "checkpoint": checkpoint,
        "scores": scores,
        "form": form,
        "all": len(found),
        "page": page,
        "lines": [
            {
                "one": one,
                "prompt": by_id[one.prompt],
                "verdict": said.get(one.ranking),
                "word": word_on(one, said),
                "base": said[one.ranking].revision if one.ranking in said else 0,
                "can_adjudicate": one.item in several,
            }
            for one in page
        ],
        "words": WORDS,
    }
    return render(request, "labeling/reward_models/contradictions.html", context)


@access.researcher_only
@never_cache
@require_safe
def contradictions_csv(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    checkpoint = access.reward_model_for_research(checkpoint_id)
    scores, said = scored.read(checkpoint), verdicts.holding(checkpoint)
    found = ContradictionFilter(request.GET).narrowed(contradictions(scores.scored) if scores else [], said)
    response = _file("", f"contradictions-{checkpoint.pk}.csv")
    writer = csv.writer(response)
    writer.writerow(HEAD)
    writer.writerows(_row(one, said.get(one.ranking), word_on(one, said)) for one in found)
    return response


@access.researcher_only
@require_POST
def verdict_say(request: HttpRequest, checkpoint_id: int, ranking_id: int) -> HttpResponse:
    """A word on one contradiction. Back on the list, where one was."""
    checkpoint = access.reward_model_for_research(checkpoint_id)
    base = request.POST.get("base", "")
    if not base.isdecimal() or len(base) > 9:
        raise BadInput("“base” is the number of the last word on the page.")
    scores = scored.read(checkpoint)
    there = contradictions(scores.scored) if scores else []
    one = next((one for one in there if one.ranking == ranking_id), None)
    if one is None:
        raise Conflict("The model does not contradict this ranking any more: it was corrected, or scored anew.")
    verdicts.say(access.user_of(request), checkpoint, one, request.POST.get("word", ""), base=int(base))
    back = reverse("contradictions", args=[checkpoint_id])
    query = request.POST.get("query", "")
    return redirect(f"{back}?{query}" if query else back)


def _row(one: Contradiction, verdict: Verdict | None, word: str) -> list[Any]:
    said = [word, str(verdict.made_by), verdict.made_at.isoformat(timespec="seconds")] if verdict and word else [""] * 3
    values = [getattr(one, name) for name in HEAD[:2]] + [one.prompt] + [getattr(one, name) for name in HEAD[3:-3]]
    return [safe(value) for value in [*values, *said]]


def _file(content: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
