"""From a label to the weights that it shaped, for researchers and admins: of an item, a demonstration, a labeler."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labeling import access
from labeling.models import Decision
from labeling.registry import labels


@access.office_only
@never_cache
@require_safe
def of_item(request: HttpRequest, item_id: int) -> HttpResponse:
    """All rankings of an item, and the decision on it where there is one."""
    item = access.ranked_item_for_office(item_id)
    rankings = list(item.rankings.select_related("labeler").order_by("pk"))
    decisions = list(Decision.objects.filter(item=item).values_list("pk", flat=True))
    shaped = labels.of_rankings([row.pk for row in rankings], decisions)
    context = {"item": item, "prompt": item.the_prompt, "rankings": rankings, "shaped": shaped, "count": len(rankings)}
    return render(request, "labeling/registry/label.html", context)


@access.office_only
@never_cache
@require_safe
def of_demonstration(request: HttpRequest, demonstration_id: int) -> HttpResponse:
    row = access.demonstration_for_office(demonstration_id)
    context = {"demonstration": row, "prompt": row.prompt, "shaped": labels.of_demonstrations([row.pk]), "count": 1}
    return render(request, "labeling/registry/label.html", context)


@access.office_only
@never_cache
@require_safe
def of_labeler(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """All that one labeler's labels went into."""
    labeler = access.labeler_for_office(pseudonym)
    rows = {row.dataset_id: row.rows for row in labeler.dataset_rows.all()}
    shaped = labels.of_labeler(labeler.pk)
    written = labeler.demonstrations.select_related("prompt").order_by("-created_at")[:20]
    context = {"labeler": labeler, "shaped": shaped, "rows": rows, "count": sum(rows.values()), "written": written}
    return render(request, "labeling/registry/label.html", context)
