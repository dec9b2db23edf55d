"""Stop, resume, try again: the buttons of the run page."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from training.contract.specs import SPECS, SpecError
from training.models import Run
from training.runs import control, launch
from training.runs.run_views import find
from training.runs.settings_form import fields_of, read
from training.runs.views import researcher_only


@researcher_only
@require_POST
def run_stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = find(run_id)
    if not control.stop(run, by=_user(request)):
        messages.warning(request, "The run had ended before it could be stopped.")
    return redirect("run-detail", run.pk)


@researcher_only
@require_POST
def run_resume(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = find(run_id)
    if not control.resume(run, by=_user(request)):
        messages.warning(request, "The run is not stopped (any more), so there is nothing to resume.")
    return redirect("run-detail", run.pk)


@researcher_only
@require_http_methods(["GET", "POST"])
def run_retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A failed or stopped run with the same settings or others; what is refused comes back with its sentence."""
    run = find(run_id)
    if run.recipe not in SPECS or run.state not in (Run.State.FAILED, Run.State.STOPPED):
        messages.warning(request, "Only a run that failed or was stopped can be tried again.")
        return redirect("run-detail", run.pk)
    error, posted = "", request.POST
    if request.method == "POST":
        try:
            spec = read(run.recipe, posted, run.spec)
            if launch.retry(run, spec, anew=_anew(posted.get("from", "")), by=_user(request)):
                return redirect("run-detail", run.pk)
            error = "Somebody was faster: the run has been queued meanwhile."
        except SpecError as refusal:
            error = str(refusal)
        except OSError as refusal:
            error = f"The run folder cannot be written: {refusal.strerror or refusal}."
    context = {"run": run, "fields": fields_of(run.recipe, run.spec, posted), "error": error, "posted": posted}
    return render(request, "training/runs/retry.html", context, status=422 if error else 200)


def _anew(choice: str) -> bool | None:
    return {"beginning": True, "saved": False}.get(choice)


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)
