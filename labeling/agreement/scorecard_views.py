"""Scorecards for researchers and admins: everybody in one table, one labeler, the items behind a figure."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import plots
from labeling import access
from labeling.agreement import cards, consensus_report, scorecard_words
from labeling.agreement.scorecard_table import as_csv
from labeling.agreement.scorecard_words import Said, of_everybody, of_labeler, value_of
from labeling.models import WorkItem

PAGE = 50
COLUMNS = [
    ("labeler", "Labeler"),
    ("flags", "Stands out"),
    ("rankings", "Rankings"),
    ("with_others", "With the others"),
    ("first_preferred", "Prefers first"),
    ("same_pattern", "Same places"),
    ("ties", "Ties"),
    ("minutes", "Minutes, median"),
    ("skips", "Skips"),
    ("reliability", "Reliability"),
]
WEEK = "week-"  # and its Monday
BEHIND = {
    "first": ("rankings in which what stood first was preferred most often", "pairs for what stood first"),
    "pattern": ("rankings with the most frequent places from top to bottom", ""),
    "repeats": ("rankings that are the same as an earlier one of the item", ""),
    "fast": ("rankings that took the least active time", "active minutes"),
}


@access.office_only
@never_cache
@require_safe
def scorecard_list(request: HttpRequest) -> HttpResponse:
    """Everybody who has ranked, by any column; who stands out comes first."""
    found = cards.of_all()
    by = request.GET.get("sort", "-flags")
    if by.removeprefix("-") not in dict(COLUMNS):
        raise Http404
    lines = [_columns(said) for said in of_everybody(found)]
    lines.sort(key=lambda line: line["labeler"])
    key = by.removeprefix("-")
    known = [line for line in lines if line["order"][key] is not None]
    known.sort(key=lambda line: line["order"][key], reverse=by.startswith("-"))
    rest = [line for line in lines if line["order"][key] is None]
    context = {"lines": known + rest, "columns": COLUMNS, "sort": by, "cards": found}
    return render(request, "labeling/agreement/scorecards.html", context)


def _columns(said: Said) -> dict[str, Any]:
    values = {key: value_of(said, key) for key in ("with_others", "first_preferred", "same_pattern", "ties")}
    values |= {
        "minutes": said["speed"].get("median"),
        "skips": said["skips"].get("share"),
        "reliability": said["reliability"],
    }
    order = {**values, "labeler": said["labeler"], "flags": len(said["flags"]), "rankings": said["rankings"]}
    return {"labeler": said["labeler"], "said": said, "values": values, "order": order}


@access.office_only
@never_cache
@plots
@require_safe
def scorecard(request: HttpRequest, pseudonym: str) -> HttpResponse:
    labeler = access.labeler_for_office(pseudonym)
    found = cards.of_all()
    said = of_labeler(found, labeler, consensus_report.look())
    context = {
        "labeler": labeler,
        "said": said,
        "cards": found,
        "speeds": _speed_rows(said),
        "plotted": {name: said[name] for name in ("positions", "speed", "weeks", "known_weeks")},
    }
    return render(request, "labeling/agreement/scorecard.html", context)


def _speed_rows(said: Said) -> list[dict[str, Any]]:
    """A row a bin of minutes, with the middle half of the others."""
    speed = said["speed"]
    if not speed or not speed["shares"]:
        return []
    return [
        {"minutes": name, "share": share, "low": _at(speed["low"], at), "high": _at(speed["high"], at)}
        for at, (name, share) in enumerate(zip(speed["bins"], speed["shares"], strict=True))
    ]


def _at(band: list[float] | None, at: int) -> float | None:
    return band[at] if band else None


@access.office_only
@never_cache
@require_safe
def scorecard_items(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """The labeler's rankings behind a figure."""
    labeler = access.labeler_for_office(pseudonym)
    by = request.GET.get("by", "")
    if by not in BEHIND and not by.startswith(WEEK):
        raise Http404
    card = cards.of_all().by_labeler.get(labeler.pk)
    listed = card.lists.get(by, []) if card else []
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    texts = WorkItem.objects.select_related("prompt", "batch").in_bulk([item for item, _ in page])
    week = f"rankings of the week from {by.removeprefix(WEEK)} that others ranked too", "as most of the others"
    what, column = BEHIND.get(by, week)
    context = {
        "labeler": labeler,
        "by": by,
        "what": what,
        "column": column,
        "is_share": by == "first" or by not in BEHIND,
        "page": page,
        "pattern": card.pattern if card else [],
        "lines": [{"item": texts[item], "value": value} for item, value in page],
    }
    return render(request, "labeling/agreement/scorecard_items.html", context)


@access.office_only
@never_cache
@require_safe
def scorecards_csv(request: HttpRequest, pseudonym: str = "") -> HttpResponse:
    """Of everybody, or of one labeler."""
    found = cards.of_all()
    if pseudonym:
        chosen = [of_labeler(found, access.labeler_for_office(pseudonym), consensus_report.look())]
    else:
        chosen = scorecard_words.of_everybody(found)
    response = HttpResponse(as_csv(chosen), content_type="text/csv; charset=utf-8")
    name = f"scorecard-{pseudonym}" if pseudonym else "scorecards"
    response["Content-Disposition"] = f'attachment; filename="{name}-{found.version}.csv"'
    return response
