"""A batch's settings, and how the queue chooses, as pages."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from labeling import access
from labeling.errors import BadInput
from labeling.models import Batch
from labeling.quality import known
from labeling.quality.forms import SettingsForm, WhyForm
from labeling.queue import dispatch, explain
from labeling.queue.models import OWN
from labeling.queue.rules import RULES
from labeling.queue.steps import STEPS


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def batch_settings(request: HttpRequest, batch_id: int) -> HttpResponse:
    """How a batch is dealt out; a change takes hold of what is still open."""
    batch = access.batch_for_research(batch_id)
    still_open = batch.items.filter(control__in=OWN, withdrawn_at=None, is_open=True).exists()
    form = SettingsForm(request.POST if request.method == "POST" else None, batch=batch, initial=vars(batch.settings))
    if form.is_valid():
        try:
            changed = dispatch.change_settings(batch, form.settings())
        except BadInput as error:
            form.add_error(None, error.sentence)
        else:
            added = known.mix_into(changed)
            mixed_in = f" {added} known item{'s were' if added != 1 else ' was'} mixed in." if added else ""
            messages.success(request, f"The batch is dealt out like this from now on.{mixed_in}")
            return redirect("batch-detail", batch.pk)
    context = {"batch": batch, "form": form, "still_open": still_open, "mixed": known.mixed(batch)}
    return render(request, "labeling/quality/settings.html", context, status=422 if form.is_bound else 200)


@access.office_only
@never_cache
@require_safe
def queue_rules(request: HttpRequest) -> HttpResponse:
    """How the next piece is chosen, rule by rule as the code has them; and why a labeler did not get an item."""
    form = WhyForm(request.GET if "labeler" in request.GET else None)
    reason = explain.why_not(form.cleaned_data["labeler"], form.cleaned_data["item"]) if form.is_valid() else None
    context = {"steps": STEPS, "rules": RULES, "form": form, "reason": reason, "lines": _lines()}
    status = 422 if form.is_bound and not reason else 200
    return render(request, "labeling/quality/rules.html", context, status=status)


def _lines() -> list[tuple[Batch, float]]:
    """The batches that are open, with the share that each has of its line's labelers, line by line."""
    waiting = Count("items", filter=Q(items__is_open=True))
    found = list(Batch.objects.annotate(open=waiting).filter(open__gt=0).order_by("kind", "cohort", "created_at"))
    weights: dict[tuple[str, str], int] = {}
    for batch in found:
        line = (batch.kind, batch.cohort)
        weights[line] = weights.get(line, 0) + batch.weight
    return [(batch, batch.weight / weights[batch.kind, batch.cohort]) for batch in found]
