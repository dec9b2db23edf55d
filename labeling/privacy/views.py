"""A labeler's data: to take along and to have erased; and the admin's side of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.models import Labeler
from labeling.privacy import erase as erasing
from labeling.privacy import export, wish
from labeling.privacy.forms import EraseForm, WishForm
from labeling.privacy.inventory import HELD, NOT_IN_ROWS


@access.labeler_only
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """What is held about me, and what I can do about it."""
    return _mine(request, WishForm())


@access.labeler_only
@never_cache
@require_safe
def mine_zip(request: HttpRequest) -> HttpResponse:
    return _zip(access.labeler_of(request))


@access.labeler_only
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """A labeler wishes to be erased; nothing happens before an admin carries it out."""
    form = WishForm(request.POST)
    if not form.is_valid():
        return _mine(request, form, status=422)
    wish.ask(access.labeler_of(request), access.user_of(request), form.cleaned_data["wish"])
    messages.success(request, "The people who run this will see your wish. You can take it back until they act.")
    return redirect("my-data")


@access.labeler_only
@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    wish.take_back(access.labeler_of(request))
    messages.success(request, "Taken back. Nothing was erased.")
    return redirect("my-data")


@access.admin_only
@never_cache
@require_safe
def of_labeler(request: HttpRequest, pseudonym: str) -> HttpResponse:
    labeler = access.labeler_for_admin(pseudonym)
    return _of(request, labeler, EraseForm(initial={"choice": getattr(wish.of(labeler), "wish", None)}))


@access.admin_only
@never_cache
@require_safe
def of_labeler_zip(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """For a labeler who asks by letter."""
    return _zip(access.labeler_for_admin(pseudonym))


@access.admin_only
@require_POST
def erase(request: HttpRequest, pseudonym: str) -> HttpResponse:
    labeler = access.labeler_for_admin(pseudonym)
    form = EraseForm(request.POST)
    if form.is_valid():
        try:
            erasing.carry_out(labeler, access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            form.add_error(None, error.sentence)
            return _of(request, labeler, form, status=error.status)
        messages.success(request, f"{labeler.pseudonym} is erased. The account can never be used again.")
        return redirect("labeler-data", labeler.pseudonym)
    return _of(request, labeler, form, status=422)


def _mine(request: HttpRequest, form: WishForm, *, status: int = 200) -> HttpResponse:
    return render(request, "labeling/privacy/mine.html", _context(access.labeler_of(request), form), status=status)


def _of(request: HttpRequest, labeler: Labeler, form: EraseForm, *, status: int = 200) -> HttpResponse:
    return render(request, "labeling/privacy/labeler.html", _context(labeler, form), status=status)


def _context(labeler: Labeler, form: WishForm | EraseForm) -> dict[str, Any]:
    return {
        "labeler": labeler,
        "form": form,
        "erasure": wish.of(labeler),
        "held": HELD,
        "others": NOT_IN_ROWS,
        "frozen": labeler.dataset_rows.select_related("dataset").order_by("dataset__created_at"),
    }


def _zip(labeler: Labeler) -> HttpResponse:
    response = HttpResponse(export.archive(labeler), content_type="application/zip")
    name = f"{labeler.pseudonym}-{timezone.now():%Y-%m-%d}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
