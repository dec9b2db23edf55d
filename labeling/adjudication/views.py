"""Adjudication for researchers and admins: the queue, one item side by side, the decision and its history."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.adjudication import decide, line, report, taxonomy
from labeling.adjudication.forms import OWN, number, word
from labeling.adjudication.models import Adjudication
from labeling.agreement import consensus_report, sheet
from labeling.agreement.forms import AgreementFilter
from labeling.errors import PodiumError
from labeling.models import Decision, User, WorkItem

PAGE = 25
PLACES = range(1, 10)


@access.office_only
@never_cache
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the worst disagreement first."""
    form = AgreementFilter(request.GET)
    waiting = line.waiting(form.filters())
    page = Paginator(waiting.lines, PAGE).get_page(request.GET.get("page"))
    texts = WorkItem.objects.select_related("prompt", "batch").in_bulk([one.item for one in page])
    held = line.held()
    context = {
        "form": form,
        "waiting": waiting,
        "page": page,
        "lines": [{"line": one, "item": texts[one.item], "held": held.get(one.item)} for one in page],
        "at": "waiting",
    }
    return render(request, "labeling/adjudication/queue.html", context)


@access.office_only
@never_cache
@require_safe
def decided(request: HttpRequest) -> HttpResponse:
    """The decisions that hold, the newest first, and what went wrong how often."""
    held = Decision.objects.filter(is_holding_for__isnull=False).order_by("-made_at")
    rows = held.select_related("item__prompt", "item__batch", "made_by", "taken_from__labeler")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    labels = taxonomy.labels()
    context = {
        "page": page,
        "lines": [{"row": row, "errors": [labels.get(key, key) for key in row.errors]} for row in page],
        "kinds": report.kinds_of_errors(),
        "at": "decided",
    }
    return render(request, "labeling/adjudication/decided.html", context)


@access.office_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def item(request: HttpRequest, item_id: int) -> HttpResponse:
    """Side by side. What is posted is a decision; a refused one comes back as it was sent."""
    row = access.ranked_item_for_office(item_id)
    user = access.user_of(request)
    if request.method != "POST":
        return _page(request, user, row)
    try:
        said = word(request.POST)
        decide.take(user, row)  # a hold that ran out while somebody wrote is no reason to refuse, if nobody else came
        decide.decide(
            user, row, base=said.base, reason=said.reason, errors=said.errors, ranking=said.ranking, places=said.places
        )
    except PodiumError as error:
        return _page(request, user, row, sent=request.POST, error=error)
    messages.success(request, "The decision is stored. You can revise it or take it back on the item's page.")
    return redirect("adjudication")


@access.office_only
@require_POST
def take(request: HttpRequest, item_id: int) -> HttpResponse:
    row = access.ranked_item_for_office(item_id)
    try:
        decide.take(access.user_of(request), row)
    except PodiumError as error:
        messages.error(request, error.sentence)
    return redirect("adjudication-item", item_id)


@access.office_only
@require_POST
def give_back(request: HttpRequest, item_id: int) -> HttpResponse:
    decide.give_back(access.user_of(request), access.ranked_item_for_office(item_id))
    messages.success(request, "The item is back in the queue, undecided by you.")
    return redirect("adjudication")


@access.office_only
@require_POST
def withdraw(request: HttpRequest, item_id: int) -> HttpResponse:
    row, user = access.ranked_item_for_office(item_id), access.user_of(request)
    try:
        decide.withdraw(user, row, base=number(request.POST.get("base", "")), reason=request.POST.get("reason", ""))
    except PodiumError as error:
        return _page(request, user, row, error=error)
    messages.success(request, "The decision is taken back; the item waits in the queue again. The history keeps both.")
    return redirect("adjudication-item", item_id)


@access.office_only
@never_cache
@require_safe
def decisions_csv(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(report.as_csv(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="decisions.csv"'
    return response


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def kinds(request: HttpRequest) -> HttpResponse:
    """The list of what can go wrong, and one more for it."""
    error = None
    if request.method == "POST":
        try:
            made = taxonomy.add(request.POST.get("label", ""), request.POST.get("explained", ""))
        except PodiumError as refused:
            error = refused
        else:
            messages.success(request, f"“{made}” is on the list.")
            return redirect("error-kinds")
    context = {"kinds": taxonomy.known(), "error": error, "sent": request.POST}
    return render(request, "labeling/adjudication/kinds.html", context, status=error.status if error else 200)


@access.researcher_only
@require_POST
def change_kind(request: HttpRequest, key: str, change: str) -> HttpResponse:
    changes = {"retire": taxonomy.retire, "offer": taxonomy.offer_again}
    if change not in changes or key not in taxonomy.labels():
        raise Http404
    try:
        changes[change](key)
    except PodiumError as error:
        messages.error(request, error.sentence)
    return redirect("error-kinds")


def _page(
    request: HttpRequest,
    user: User,
    row: WorkItem,
    *,
    sent: Mapping[str, Any] | None = None,
    error: PodiumError | None = None,
) -> HttpResponse:
    state = Adjudication.objects.select_related("held_by", "decision").filter(item=row).first()
    is_held = bool(state and state.held_until and state.held_until >= timezone.now())
    is_mine = bool(state and is_held and state.held_by_id == user.pk)
    decision = state.decision if state else None
    shown = sheet.of(row)
    looked = consensus_report.look()
    model = consensus_report.of_item(looked.fitted, row.pk) if looked.fitted else None
    labels = taxonomy.labels()
    context = {
        "item": row,
        "sheet": shown,
        "rows": [_row(one, decision, sent, model) for one in shown.rows],
        "consensus": looked,
        "state": state,
        "is_mine": is_mine,
        "is_taken": is_held and not is_mine,
        "shows_form": is_mine or sent is not None,  # what was written is not lost
        "decision": decision,
        "history": [(one, [labels.get(key, key) for key in one.errors]) for one in decide.history(row)],
        "kinds": taxonomy.offered(),
        "base": sent["base"] if sent and "base" in sent else state.revisions if state else 0,
        "order": _chosen(decision, sent),
        "reason": (sent or {}).get("reason", ""),
        "errors": request.POST.getlist("error") if sent is not None else decision.errors if decision else [],
        "places": PLACES,
        "error": error,
    }
    return render(request, "labeling/adjudication/item.html", context, status=error.status if error else 200)


def _row(one: sheet.Row, decision: Decision | None, sent: Mapping[str, Any] | None, model: Any) -> dict[str, Any]:
    """A completion with what each said of it, the model's place, and the place in the adjudicator's own order."""
    field = f"place-{'-'.join(str(pk) for pk in one.completions)}"
    place = decision.place_of.get(one.completions[0]) if decision else None
    own = str((sent or {}).get(field, "" if sent is not None or place is None else place))
    fitted = next((model.places[pk] for pk in one.completions if pk in model.places), None) if model else None
    return {"row": one, "field": field, "own": own, "decided": place, "fitted": fitted}


def _chosen(decision: Decision | None, sent: Mapping[str, Any] | None) -> str:
    if sent is not None:
        return str(sent.get("order", ""))
    if decision is None:
        return ""
    return str(decision.taken_from_id) if decision.taken_from_id else OWN
