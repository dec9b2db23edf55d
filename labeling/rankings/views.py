"""The ranking page. It is blind: a card has a number and a text, and nothing says who wrote it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling import access
from labeling.errors import BadInput, Conflict
from labeling.models import Assignment, Kind
from labeling.queue.views import ended, go_to_next, why_closed, workbench
from labeling.rankings.cards import cards
from labeling.rankings.submit import submit

ORDINALS = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th"]


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rank(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """K texts, one order with ties. Nothing is ranked beforehand; a refused order comes back as it was sent."""
    labeler = access.labeler_of(request)
    if request.method != "POST":
        return _page(request, access.assignment_of(labeler, assignment_id, Kind.RANK), {})
    try:
        submit(labeler, assignment_id, _places(request.POST))
    except BadInput as error:
        assignment = access.assignment_of(labeler, assignment_id, Kind.RANK)
        return _page(request, assignment, _legible(request.POST), error)
    except Conflict as error:
        return ended(request, labeler, assignment_id, Kind.RANK, error)
    return go_to_next(labeler, Kind.RANK, just_ended=True)


def _places(posted: QueryDict) -> dict[int, int]:
    """Card number → place, from the fields `place-<number>`. Raises BadInput for anything else in them."""
    fields = _fields(posted)
    if any(not _is_digit(number) or not _is_digit(place) for number, place in fields.items()):
        raise BadInput("A place is a number from 1 to 9, given to one of the answers on the page.")
    return {int(number): int(place) for number, place in fields.items()}


def _legible(posted: QueryDict) -> dict[int, int]:
    """What can be kept of an order that was refused."""
    fields = _fields(posted)
    return {int(number): int(place) for number, place in fields.items() if _is_digit(number) and _is_digit(place)}


def _fields(posted: QueryDict) -> dict[str, str]:
    places = {name.removeprefix("place-"): posted[name] for name in posted if name.startswith("place-")}
    return {number: str(place) for number, place in places.items() if place}


def _is_digit(value: str) -> bool:
    return len(value) == 1 and value in "123456789"


def _page(
    request: HttpRequest, assignment: Assignment, places: dict[int, int], error: BadInput | None = None
) -> HttpResponse:
    if closed := why_closed(assignment):
        return ended(request, assignment.labeler, assignment.pk, Kind.RANK, closed)
    shown = [{"number": card.number, "text": card.text, "place": places.get(card.number)} for card in cards(assignment)]
    context = {
        **workbench(assignment),
        "cards": shown,
        "places": list(enumerate(ORDINALS[: len(shown)], start=1)),
        "error": error.sentence if error else "",
    }
    return render(request, "labeling/rankings/rank.html", context, status=error.status if error else 200)
