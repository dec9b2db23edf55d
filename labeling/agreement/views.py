"""Agreement for researchers and admins: all figures, the items behind each of them, and one item side by side."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import page_or_part, plots
from labeling import access
from labeling.agreement import consensus_report, items, report, rows, sheet, table, wording
from labeling.agreement.forms import AgreementFilter, filters_of
from labeling.agreement.labels import Labels
from labeling.agreement.resampling import Ints
from labeling.models import Decision, Labeler, WorkItem

PAGE = 50
# Ouyang et al. 2022, §3.4: agreement and half the width of its interval.
PAPER = [("InstructGPT’s training labelers", 0.726, 0.015), ("InstructGPT’s held-out labelers", 0.773, 0.013)]


@access.office_only
@never_cache
@plots
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    form = AgreementFilter(request.GET)
    found = report.of(form.filters())
    context = {
        "form": form,
        "report": found,
        "paper": [
            {"label": label, "value": value, "low": value - half, "high": value + half, "half": half}
            for label, value, half in PAPER
        ],
        "plotted": {
            "items": reverse("agreement-items"),
            "query": found["filters"],
            "labelers": found["labelers"],
            "pairs": found["pairs"],
            "periods": found["periods"],
        },
    }
    return render(request, "labeling/agreement/overview.html", context)


@access.office_only
@never_cache
@require_safe
def figures_csv(request: HttpRequest) -> HttpResponse:
    found = report.of(filters_of(request.GET))
    response = HttpResponse(table.as_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="agreement-{found["version"]}.csv"'
    return response


@access.office_only
@never_cache
@require_safe
def item_list(request: HttpRequest) -> HttpResponse:
    """The items of a figure, the worst disagreement first; of two labelers also what they have in common."""
    form = AgreementFilter(request.GET)
    filters = form.filters()
    labels = rows.read(filters, rows.listed(filters))
    chosen = _chosen_labelers(request)
    shown = items.of_labelers(labels, *(labeler.pk for labeler in chosen)) if chosen else labels
    one = chosen[0].pk if len(chosen) == 1 else None
    split, about = _split(request, shown)
    page = Paginator(items.lines(shown, labeler=one, split=split), PAGE).get_page(request.GET.get("page"))
    texts = WorkItem.objects.select_related("prompt", "batch").in_bulk([line.item for line in page])
    context = {
        "form": form,
        "labelers": chosen,
        "split_about": about,
        "narrowed": form.named(),
        "two": _two(labels, chosen) if len(chosen) == 2 else None,
        "page": page,
        "lines": [{"line": line, "item": texts[line.item]} for line in page],
    }
    return render(request, "labeling/agreement/items.html", context)


def _split(request: HttpRequest, labels: Labels) -> tuple[Ints | None, str]:
    """What splits the items that are asked for, and what it is called."""
    if "ratings" in request.GET:
        return items.split_on_ratings(labels), f"ratings {items.APART} or more apart"
    if flag := request.GET.get("flag"):
        if flag not in labels.flag_keys:
            raise Http404
        return items.split_on_flag(labels, flag), f"the flag “{wording.flag_names()[flag]}”"
    return None, ""


def _chosen_labelers(request: HttpRequest) -> list[Labeler]:
    """Those that the address names, at most two; unknown ones are not there."""
    names = list(dict.fromkeys(name for key in ("labeler", "other") if (name := request.GET.get(key))))
    known = {labeler.pseudonym: labeler for labeler in Labeler.objects.filter(pseudonym__in=names)}
    if len(known) < len(names):
        raise Http404
    return [known[name] for name in names]


def _two(labels: Labels, chosen: list[Labeler]) -> dict[str, Any]:
    found = items.two(labels, *(labeler.pk for labeler in chosen))
    return {"overall": wording.of_two(found.overall), "flags": wording.kappas(found.flags)}


@access.office_only
@never_cache
@require_safe
def item_detail(request: HttpRequest, item_id: int) -> HttpResponse:
    """One item: what each labeler said of each completion."""
    item = access.ranked_item_for_office(item_id)
    shown, looked = sheet.of(item), consensus_report.look()
    fitted = consensus_report.of_item(looked.fitted, item_id) if looked.fitted else None
    context = {
        "item": item,
        "sheet": shown,
        "consensus": looked,
        "scores": [
            {"row": row, "score": fitted.scores[at], "place": fitted.places[at]}
            for row in shown.rows
            for at in row.completions[:1]
            if fitted and at in fitted.scores
        ],
        "decision": Decision.objects.filter(item=item, is_holding_for__isnull=False).select_related("made_by").first(),
    }
    return page_or_part(request, "labeling/agreement/item.html", "labeling/agreement/_consensus.html", context)
