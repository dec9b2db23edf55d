"""What came out of a judgement: on its page, as CSV, and the rankings behind each figure. A round's looks the same."""

from dataclasses import asdict
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.http import plots
from labeling import access
from labeling.errors import BadInput, Conflict
from labeling.judging import behind
from labeling.judging.results import SMALL, as_csv, results
from labeling.judging.source import Source, of_judgement, of_round
from labeling.models import Prompt, UseCase

PAGE = 50


def results_context(request: HttpRequest, source: Source) -> dict[str, Any]:
    """What `_results.html` shows; without `results` it says why there are none."""
    if source.hidden:
        return {"source": source, "results": None}
    found = results(source, request.GET.get("against", ""))
    plotted = {
        "items": source.items,
        "against": found["against"],
        "policies": [
            {"policy": one["policy"], "strength": one["strength"], "rating": one["rating"]} for one in found["policies"]
        ],
        "wins": [pair for pair in found["pairs"] if pair["other"] == found["against"]],
    }
    others = [one["policy"] for one in found["policies"] if one["policy"] != found["against"]]
    return {
        "source": source,
        "results": found,
        "others": others,
        "small": SMALL,
        "matrix": _matrix(found),
        "plotted": plotted,
    }


def _matrix(found: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a policy: how often it is preferred to each of the policies; None on the diagonal."""
    names = [one["policy"] for one in found["policies"]]
    wins = {(pair["policy"], pair["other"]): pair for pair in found["pairs"]}
    return [{"policy": name, "cells": [wins.get((name, other)) for other in names]} for name in names]


@access.researcher_only
@never_cache
@plots
@require_safe
def round_results(request: HttpRequest, round_id: int) -> HttpResponse:
    """A round's own judgement."""
    round_ = access.round_for_research(round_id)
    context = {"round": round_, **results_context(request, of_round(round_))}
    return render(request, "labeling/judging/round.html", context)


@access.researcher_only
@never_cache
@require_safe
def judgement_csv(request: HttpRequest, judgement_id: int) -> HttpResponse:
    return _csv(request, of_judgement(access.judgement_for_research(judgement_id)))


@access.researcher_only
@never_cache
@require_safe
def round_csv(request: HttpRequest, round_id: int) -> HttpResponse:
    return _csv(request, of_round(access.round_for_research(round_id)))


def _csv(request: HttpRequest, source: Source) -> HttpResponse:
    found = results(source, request.GET.get("against", ""))
    response = HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="judgement.csv"'
    return response


@access.researcher_only
@never_cache
@require_safe
def judgement_items(request: HttpRequest, judgement_id: int) -> HttpResponse:
    return _items(request, of_judgement(access.judgement_for_research(judgement_id)))


@access.researcher_only
@never_cache
@require_safe
def round_items(request: HttpRequest, round_id: int) -> HttpResponse:
    return _items(request, of_round(access.round_for_research(round_id)))


def _items(request: HttpRequest, source: Source) -> HttpResponse:
    """The rankings behind a figure, each with the way to its item side by side."""
    if source.hidden or source.batch is None:
        raise Conflict(source.hidden or "Nothing is judged yet.")
    chosen = behind.Choice(**{name: request.GET.get(name, "") for name in asdict(behind.Choice())})
    names = list(source.policies.values())
    if unknown := [name for name in (chosen.policy, chosen.other) if name and name not in names]:
        raise BadInput(f"There is no policy “{unknown[0]}” here.")
    seen = source.observed()
    page = Paginator(behind.lines(seen, chosen), PAGE).get_page(request.GET.get("page"))
    prompts = Prompt.objects.in_bulk([line.prompt for line in page])
    shown = [name for name in (chosen.policy, chosen.other) if name] or names
    context = {
        "source": source,
        "chosen": chosen,
        "policies": names,
        "use_cases": [("", "all"), *UseCase.choices],
        "labelers": sorted(seen.pseudonyms.values()),
        "flags": seen.flag_labels,
        "shown": shown,
        "page": page,
        "lines": [
            {
                "line": line,
                "prompt": prompts[line.prompt],
                "said": [(line.places[name], line.ratings[name], line.flags[name]) for name in shown],
            }
            for line in page
        ],
    }
    return render(request, "labeling/judging/items.html", context)
