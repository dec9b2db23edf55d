"""The over-optimisation monitor of one PPO run."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import plots
from labeling import access
from labeling.figures import overopt
from labeling.reward_models import scored
from training.models import Checkpoint, Run


@access.researcher_only
@never_cache
@plots
@require_safe
def monitor(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = ppo_run(run_id)
    found, ends = report_of(run), overopt.ends_of(run)
    start, proxy = (Checkpoint.objects.filter(pk=pk).first() if ends else None for pk in (ends or (0, 0)))
    context = {
        "run": run,
        "report": found,
        "start": start,
        "proxy": proxy,
        "is_live": run.state in scored.LIVE,
        "plotted": found,
    }
    return render(request, "labeling/figures/overopt.html", context)


def ppo_run(run_id: UUID) -> Run:
    run = get_object_or_404(Run, pk=run_id)
    if run.recipe != "ppo":
        raise Http404
    return run


def report_of(run: Run) -> dict[str, Any]:
    """With the best of n of the rankings that the run's reward model has scored."""
    ends = overopt.ends_of(run)
    scores = scored.read(Checkpoint.objects.get(pk=ends.proxy)) if ends else None
    ranked = [(one.prompt, one.rewards, one.places) for one in scores.scored] if scores else []
    return overopt.of(run, ranked)
