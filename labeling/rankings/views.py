"""The ranking page. It is blind: a card has a number and a text, and nothing says who wrote it."""

import json
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling import access, markdown
from labeling.errors import BadInput, Conflict
from labeling.models import Assignment, Control, Kind, Rubric
from labeling.queue import drafts
from labeling.queue.views import ended, go_to_next, why_closed, workbench
from labeling.rankings import forms
from labeling.rankings.cards import Card, cards
from labeling.rankings.remarks import RATINGS, Remarks, moved
from labeling.rankings.submit import SEEN, correct, submit

ORDINALS = ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th"]
PLAIN, MARKDOWN = "plain", "markdown"
# By position on the keyboard: digits place, the row below them rates, the home row flags (static/ranking.js).
RATING_KEYS = "qwertyu"
FLAG_KEYS = "asdfghjkl;'"


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rank(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """K texts, one order with ties. Nothing is ranked beforehand; a refused order comes back as it was sent.

    A ranking that was sent in is shown for correction until it is part of a dataset.
    """
    labeler = access.labeler_of(request)
    if request.method != "POST":
        assignment = access.assignment_of(labeler, assignment_id, Kind.RANK)
        return _page(request, assignment, *_known(assignment))
    correcting = "correction" in request.POST
    try:
        act = correct if correcting else submit
        ranking = act(labeler, assignment_id, forms.places(request.POST), forms.remarks(request.POST))
    except BadInput as error:
        assignment = access.assignment_of(labeler, assignment_id, Kind.RANK)
        return _page(request, assignment, *forms.legible(request.POST), error)
    except Conflict as error:
        return ended(request, labeler, assignment_id, Kind.RANK, error)
    if correcting:
        messages.success(request, "Your correction is stored.")
        return redirect("work-recent")
    if ranking.item.control == Control.TEACHING:
        return redirect("gold-lesson", assignment_id)
    return go_to_next(labeler, Kind.RANK, just_ended=True)


def _known(assignment: Assignment) -> tuple[dict[int, int], Remarks]:
    """What the page starts with: the draft, or the ranking that was sent in, or nothing."""
    if draft := drafts.fields_of(assignment):
        return forms.legible(draft)
    return _sent_in(assignment) if assignment.state == Assignment.State.DONE else ({}, Remarks())


def _sent_in(assignment: Assignment) -> tuple[dict[int, int], Remarks]:
    ranking = assignment.ranking
    rows = {row.completion_id: row for row in ranking.places.all()}
    shown = [(card.number, rows[card.completion_ids[0]], card.shifts[0]) for card in cards(assignment)]
    remarks = Remarks(
        ratings={number: row.rating for number, row, _ in shown if row.rating},
        flags={number: row.flags for number, row, _ in shown if row.flags},
        spans={number: [moved(span, -shift) for span in row.spans] for number, row, shift in shown if row.spans},
        none_acceptable=ranking.none_acceptable,
        reasons=ranking.reasons,
        rationale=ranking.rationale,
    )
    return {number: row.place for number, row, _ in shown}, remarks


def _page(
    request: HttpRequest,
    assignment: Assignment,
    places: dict[int, int],
    remarks: Remarks,
    error: BadInput | None = None,
) -> HttpResponse:
    correcting = assignment.state == Assignment.State.DONE
    if closed := _frozen(assignment) if correcting else why_closed(assignment):
        return ended(request, assignment.labeler, assignment.pk, Kind.RANK, closed)
    rubric = assignment.item.batch.rubric
    shown = cards(assignment)
    texts_as = _texts_as(request)
    context = {
        **workbench(assignment),
        "cards": [_shown(card, len(shown), places, remarks, rubric, texts_as) for card in shown],
        "texts_as": texts_as,
        "texts_other": MARKDOWN if texts_as == PLAIN else PLAIN,
        "rubric": rubric,
        "keys": _keys(_Same(rubric), len(shown)),
        "remarks": remarks,
        "correcting": correcting,
        "error": error.sentence if error else "",
    }
    response = render(request, "labeling/rankings/rank.html", context, status=error.status if error else 200)
    if texts_as != request.COOKIES.get("texts", PLAIN):
        response.set_cookie("texts", texts_as, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response


def _texts_as(request: HttpRequest) -> str:
    """Plain text unless this browser's labeler has chosen Markdown; the choice is kept for the pieces that follow."""
    wanted = request.GET.get("texts") or request.COOKIES.get("texts")
    return MARKDOWN if wanted == MARKDOWN else PLAIN


def _frozen(assignment: Assignment) -> Conflict | None:
    if assignment.item.control == Control.TEACHING:
        return Conflict(SEEN)
    if assignment.ranking.frozen_at is None:
        return None
    return Conflict("You have sent this in already. It is stored, and it is part of a dataset now.")


def _shown(
    card: Card, count: int, places: dict[int, int], remarks: Remarks, rubric: Rubric, texts_as: str
) -> dict[str, Any]:
    number = card.number
    judged = number in remarks.ratings or number in remarks.flags or number in remarks.spans
    return {
        "number": number,
        "text": card.text,
        "html": markdown.to_html(card.text) if texts_as == MARKDOWN else "",
        "place": places.get(number),
        "place_field": _place_field(number, count, places.get(number)),
        "judgement": _judgement(rubric, number, remarks) if judged else _blank(_Same(rubric), number),
    }


class _Same:
    """A rubric as a key of a cache: a published version never changes."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self.key = (rubric.pk, rubric.version, rubric.published_at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=128)
def _blank(same: _Same, number: int) -> SafeString:
    """Ratings and flags of a card of which nothing was said yet: 18 fields, the same for everybody."""
    return _judgement(same.rubric, number, Remarks())


@lru_cache(maxsize=1024)
def _place_field(number: int, count: int, chosen: int | None) -> SafeString:
    context = {"number": number, "places": list(enumerate(ORDINALS[:count], start=1)), "chosen": chosen}
    return render_to_string("labeling/rankings/_place.html", context)


@lru_cache(maxsize=128)
def _keys(same: _Same, count: int) -> SafeString:
    context = {"rubric": same.rubric, "count": count, "flag_keys": FLAG_KEYS[: len(same.rubric.flags)]}
    return render_to_string("labeling/rankings/_keys.html", context)


def _judgement(rubric: Rubric, number: int, remarks: Remarks) -> SafeString:
    flags = remarks.flags.get(number, [])
    context = {
        "number": number,
        "rubric": rubric,
        "ratings": [
            (rating, key, rating == remarks.ratings.get(number))
            for rating, key in zip(RATINGS, RATING_KEYS, strict=True)
        ],
        "flags": [(flag, key, flag["key"] in flags) for flag, key in zip(rubric.flags, FLAG_KEYS, strict=False)],
        "spans": json.dumps(list(remarks.spans.get(number, []))),
    }
    return render_to_string("labeling/rankings/_judgement.html", context)
