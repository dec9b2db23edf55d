"""Gold answers and drift items as researchers choose them, and what a labeler reads after a teaching item."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import BadInput, Conflict, PodiumError
from labeling.models import Assignment, Control, DriftItem, GoldAnswer, Kind, Ranking, WorkItem
from labeling.quality import drift, lesson
from labeling.quality.answer import answer, retire, revive, shown
from labeling.quality.forms import GoldForm
from labeling.queue.models import OWN
from labeling.rankings import forms as places
from labeling.rankings.views import ORDINALS

PAGE = 20


@access.researcher_only
@never_cache
@require_safe
def known_list(request: HttpRequest) -> HttpResponse:
    """The gold answers, newest first, and the drift items in the order in which they recur."""
    gold = GoldAnswer.objects.select_related("item__prompt", "item__batch", "author").annotate(
        given_out=_copies(Control.GOLD, Control.TEACHING), ranked=_ranked(Control.GOLD, Control.TEACHING)
    )
    drifting = DriftItem.objects.select_related("item__prompt", "item__batch", "added_by").annotate(
        given_out=_copies(Control.DRIFT), ranked=_ranked(Control.DRIFT)
    )
    page = Paginator(gold.order_by("-created_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/quality/known.html", {"page": page, "drifting": drifting})


def _copies(*controls: int) -> Subquery:
    """In how many batches the item has been mixed as one of these."""
    copies = WorkItem.objects.filter(origin=OuterRef("item"), control__in=controls).order_by().values("origin")
    return Subquery(copies.annotate(count=Count("pk")).values("count"))


def _ranked(*controls: int) -> Subquery:
    """By how many rankings its copies have been answered."""
    made = Ranking.objects.filter(item__origin=OuterRef("item"), item__control__in=controls).order_by()
    return Subquery(made.values("item__origin").annotate(count=Count("pk")).values("count"))


@access.researcher_only
@never_cache
@require_safe
def item_choose(request: HttpRequest) -> HttpResponse:
    """Ranked items that could be known ones, newest first; the field looks for words of the prompt."""
    wanted = request.GET.get("q", "").strip()[:200]
    page = Paginator(_candidates(wanted), PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/quality/choose.html", {"page": page, "q": wanted})


def _candidates(wanted: str) -> QuerySet[WorkItem]:
    items = WorkItem.objects.filter(batch__kind=Kind.RANK, control__in=OWN, withdrawn_at=None, held_at=None)
    if wanted:
        items = items.filter(Q(prompt__text__icontains=wanted.replace("\0", "")))
    return items.select_related("prompt", "batch", "gold", "drift").order_by("-pk")


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def gold_answer(request: HttpRequest, item_id: int) -> HttpResponse:
    """An item as a labeler sees it, for a researcher to rank, with the reason. What is refused comes back."""
    item = access.ranked_item_for_office(item_id)
    gold = GoldAnswer.objects.filter(item=item).select_related("author").first()
    if request.method != "POST":
        return _gold_page(request, item, gold, _stored(item, gold), GoldForm(initial=_words(gold)))
    form = GoldForm(request.POST)
    chosen = places.legible(request.POST)[0]
    if not form.is_valid():
        return _gold_page(request, item, gold, chosen, form, status=422)
    said = form.cleaned_data
    try:
        answer(
            access.user_of(request),
            item,
            places.places(request.POST),
            said["explanation"],
            said["mode"],
            said["base"] or 0,
        )
    except (BadInput, Conflict) as error:
        form.add_error(None, error.sentence)
        return _gold_page(request, item, gold, chosen, form, status=error.status)
    messages.success(request, "Your answer is stored. It is mixed into batches that want gold items.")
    return redirect("known-list")


def _stored(item: WorkItem, gold: GoldAnswer | None) -> dict[int, int]:
    return {card.number: gold.places[card.completion_ids[0]] for card in shown(item)} if gold else {}


def _words(gold: GoldAnswer | None) -> dict[str, Any]:
    if gold is None:
        return {"base": 0}
    return {"mode": gold.mode, "explanation": gold.explanation, "base": gold.revision}


def _gold_page(
    request: HttpRequest,
    item: WorkItem,
    gold: GoldAnswer | None,
    chosen: dict[int, int],
    form: GoldForm,
    *,
    status: int = 200,
) -> HttpResponse:
    cards = shown(item)
    context = {
        "item": item,
        "gold": gold,
        "form": form,
        "cards": [(card, chosen.get(card.number)) for card in cards],
        "ordinals": list(enumerate(ORDINALS[: len(cards)], start=1)),
    }
    return render(request, "labeling/quality/answer.html", context, status=status)


@access.researcher_only
@require_POST
def gold_retire(request: HttpRequest, item_id: int) -> HttpResponse:
    retire(access.gold_for_research(item_id))
    messages.success(request, "This answer is mixed into no further batch.")
    return redirect("known-list")


@access.researcher_only
@require_POST
def gold_revive(request: HttpRequest, item_id: int) -> HttpResponse:
    return _done_or_refused(request, lambda: revive(access.gold_for_research(item_id)), "This answer is used again.")


@access.researcher_only
@require_POST
def drift_add(request: HttpRequest, item_id: int) -> HttpResponse:
    item = access.item_for_research(item_id)
    said = "The comparison recurs in every batch from now on that wants drift items."
    return _done_or_refused(request, lambda: drift.add(access.user_of(request), item), said)


@access.researcher_only
@require_POST
def drift_remove(request: HttpRequest, item_id: int) -> HttpResponse:
    drift.remove(access.item_for_research(item_id))
    messages.success(request, "The comparison recurs in no further batch.")
    return redirect("known-list")


def _done_or_refused(request: HttpRequest, act: Any, said: str) -> HttpResponse:
    try:
        act()
    except PodiumError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, said)
    return redirect("known-list")


@access.labeler_only
@never_cache
@require_safe
def gold_lesson(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """What we chose and why, beside the labeler's own order; one key leads on."""
    assignment: Assignment = access.assignment_of(access.labeler_of(request), assignment_id, Kind.RANK)
    context = {"assignment": assignment, "prompt": assignment.item.prompt, "lesson": lesson.of(assignment)}
    return render(request, "labeling/quality/lesson.html", context)
