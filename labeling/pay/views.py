"""Timesheets: everybody's for admins, one labeler's, and one's own. Each as a page and as CSV."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.labelers import rates
from labeling.models import Kind, Labeler
from labeling.pay import hours, timesheet
from labeling.pay.forms import PeriodForm, TimesheetForm

SHORT = {Kind.DEMONSTRATE: "Writing", Kind.RANK: "Ranking", Kind.PROPOSE: "Prompts"}  # heads of narrow columns


@access.admin_only
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Who worked how long in a period, and what it comes to."""
    form = TimesheetForm(_asked(request))
    found = timesheet.rows(form.period, form.cleaned_data["labeler"]) if form.is_valid() else []
    context = _context(form, found) | {"labelers": timesheet.summed(found, "labeler")}
    return render(request, "labeling/pay/overview.html", context, status=200 if form.is_valid() else 422)


@access.admin_only
@never_cache
@require_safe
def overview_csv(request: HttpRequest) -> HttpResponse:
    form = TimesheetForm(_asked(request))
    if not form.is_valid():
        return render(request, "labeling/pay/overview.html", _context(form, []), status=422)
    return _csv(timesheet.rows(form.period, form.cleaned_data["labeler"]), "timesheet", form.period)


@access.admin_only
@never_cache
@require_safe
def of_labeler(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """One labeler's days, and their rates so far."""
    return _days(request, access.labeler_for_admin(pseudonym), is_own=False)


@access.admin_only
@never_cache
@require_safe
def of_labeler_csv(request: HttpRequest, pseudonym: str) -> HttpResponse:
    return _days_csv(request, access.labeler_for_admin(pseudonym), is_own=False)


@access.admin_only
@require_POST
def rate_from_start(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """A first rate that was set late counts from the first day."""
    labeler = access.labeler_for_admin(pseudonym)
    rates.first_rate_from_start(labeler, access.user_of(request))
    messages.success(request, f"The first rate of {labeler.pseudonym} counts from the first day.")
    return redirect("labeler-timesheet", labeler.pseudonym)


@access.labeler_only
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """A labeler's own hours and pay."""
    return _days(request, access.labeler_of(request), is_own=True)


@access.labeler_only
@never_cache
@require_safe
def mine_csv(request: HttpRequest) -> HttpResponse:
    return _days_csv(request, access.labeler_of(request), is_own=True)


def _days(request: HttpRequest, labeler: Labeler, *, is_own: bool) -> HttpResponse:
    form = PeriodForm(_asked(request))
    found = timesheet.rows(form.period, labeler) if form.is_valid() else []
    context = _context(form, found) | {
        "labeler": labeler,
        "is_own": is_own,
        "days": timesheet.summed(found, "day"),
        "rates": (so_far := labeler.rates.select_related("set_by").order_by("-since", "-id")),
        "starts_late": any(rate.since > labeler.created_at and rate.hourly_rate for rate in so_far.reverse()[:1]),
    }
    return render(request, "labeling/pay/days.html", context, status=200 if form.is_valid() else 422)


def _days_csv(request: HttpRequest, labeler: Labeler, *, is_own: bool) -> HttpResponse:
    form = PeriodForm(_asked(request))
    if not form.is_valid():
        return _days(request, labeler, is_own=is_own)
    return _csv(timesheet.rows(form.period, labeler), labeler.pseudonym, form.period)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in ("first", "last", "labeler")}


def _context(form: PeriodForm, found: list[hours.Row]) -> dict[str, Any]:
    form.is_valid()
    return {
        "form": form,
        "period": form.period,
        "kinds": [SHORT[kind] for kind in Kind],
        "sum": timesheet.Sum(None, found, hours.total(found)),
        "zone": timesheet.zone().key,
    }


def _csv(found: list[hours.Row], name: str, period: timesheet.Period) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{period.first:%F}-{period.last:%F}.csv"'
    timesheet.write_csv(found, response)
    return response
