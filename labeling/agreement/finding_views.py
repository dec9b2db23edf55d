"""Disagreement as a finding: where labelers come apart by groups, and the items on which they do."""

import csv
from io import StringIO

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labeling import access
from labeling.agreement import findings, splits
from labeling.agreement.rows import Filters
from labeling.models import WorkItem

PAGE = 50


@access.office_only
@never_cache
@require_safe
def finding_list(request: HttpRequest) -> HttpResponse:
    context = {"findings": findings.of(Filters()), "alpha": splits.ALPHA, "apart_points": round(100 * splits.APART)}
    return render(request, "labeling/agreement/findings.html", context)


@access.office_only
@never_cache
@require_safe
def finding_items(request: HttpRequest) -> HttpResponse:
    """The items of one part, the widest apart first: agreement within the two groups, and between them."""
    asked = (request.GET.get("by"), request.GET.get("value"))
    line = next((line for line in findings.of(Filters()).lines if (line.by, line.value) == asked), None)
    if line is None:
        raise Http404
    page = Paginator(line.items, PAGE).get_page(request.GET.get("page"))
    texts = WorkItem.objects.select_related("prompt", "batch").in_bulk([row[0] for row in page])
    lines = [
        {"item": texts[item], "within": within, "between": between, "comparisons": count}
        for item, within, between, count in page
    ]
    return render(request, "labeling/agreement/finding_items.html", {"line": line, "page": page, "lines": lines})


@access.office_only
@never_cache
@require_safe
def findings_csv(request: HttpRequest) -> HttpResponse:
    found = findings.of(Filters())
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["by", "value", "found", "within", "between", "p_adjusted", "comparisons", "group_1", "group_2", "note"]
    )
    for line in found.lines:
        groups = [" ".join(group) for group in line.groups]
        row = [
            line.by,
            line.value,
            line.is_found,
            line.within,
            line.between,
            line.p,
            line.comparisons,
            *groups,
            line.why,
        ]
        writer.writerow(row)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="findings-{found.version}.csv"'
    return response
