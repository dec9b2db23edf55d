"""Reading and confirming the guidelines; the guide to the screens; who has confirmed, and the next version."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.http import page_or_part
from labeling import access
from labeling.errors import PodiumError
from labeling.guidelines import guide, publish
from labeling.guidelines.acknowledge import PURPOSES, acknowledge, confirmed_before, standing, to_read
from labeling.guidelines.changes import changes
from labeling.guidelines.forms import PublishForm
from labeling.models import Acknowledgement, Guideline, Labeler, Purpose, Role
from labeling.texts import MAX_CHARACTERS


@login_required
@never_cache
@require_safe
def guideline_list(request: HttpRequest) -> HttpResponse:
    """For the office what is out and who has confirmed it; for labelers what they work under."""
    if not access.user_of(request).roles & {Role.RESEARCHER, Role.ADMIN}:
        return render(request, "labeling/guidelines/mine.html", {"guidelines": _mine(access.labeler_of(request))})
    purposes = [
        {
            "purpose": purpose,
            "current": (current := publish.current(purpose)),
            "standing": standing(current),
            "earlier": Guideline.objects.filter(purpose=purpose, version__lt=current.version),
        }
        for purpose in Purpose
    ]
    return render(request, "labeling/guidelines/list.html", {"purposes": purposes})


@login_required
@never_cache
@require_safe
def guideline_read(request: HttpRequest, guideline_id: int) -> HttpResponse:
    """The whole text, what is new in it, and for a labeler the button that confirms it."""
    user = access.user_of(request)
    guideline = access.guideline_for(user, guideline_id)
    labeler = access.labeler_or_none(user)
    known = confirmed_before(labeler, guideline) if labeler else publish.version_before(guideline)
    context = {
        "guideline": guideline,
        "newest": publish.current(guideline.purpose),
        "known": known,
        "changes": changes(_whole(known), _whole(guideline)) if known else [],
        "labeler": labeler,
        "confirmed": guideline.acknowledgements.filter(labeler=labeler).first() if labeler else None,
        "next": _onward(request, request.GET.get("next", "")),
    }
    return render(request, "labeling/guidelines/read.html", context)


@login_required
@require_safe
def labeler_guide(request: HttpRequest) -> HttpResponse:
    """How the screens work, for everybody who has an account."""
    if not (parts := guide.parts()):
        raise Http404
    return render(request, "labeling/guidelines/guide.html", {"parts": parts})


@login_required
@require_safe
def guide_picture(request: HttpRequest, name: str) -> FileResponse:
    if not (path := guide.picture(name)):
        raise Http404
    return FileResponse(path.open("rb"), content_type="image/png")


@access.labeler_only
@require_POST
def guideline_acknowledge(request: HttpRequest, guideline_id: int) -> HttpResponse:
    """Confirms, and goes on: to the next one to read, to where the labeler came from, or home."""
    labeler = access.labeler_of(request)
    acknowledge(labeler, access.guideline_for(labeler.user, guideline_id))
    onward = _onward(request, request.POST.get("next", ""))
    if another := to_read(labeler).first():
        query = f"?{urlencode({'next': onward})}" if onward else ""
        return redirect(reverse("guideline-read", args=[another.pk]) + query)
    return HttpResponseRedirect(onward or reverse("home"))


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def guideline_publish(request: HttpRequest, purpose: str) -> HttpResponse:
    """The next version: written, looked at, published."""
    wanted = access.purpose_of(purpose)
    current = publish.current(wanted)
    if request.method != "POST":
        form = PublishForm(initial={"title": current.title, "body": current.body, "after": current.version})
        return _publish_page(request, form, current, current.body)
    form = PublishForm(request.POST)
    text = request.POST.get("body", "")
    if "preview" in request.POST:
        return _publish_page(request, form, current, text)
    if not form.is_valid():
        return _publish_page(request, form, current, text, status=422)
    try:
        published = publish.publish(wanted, **form.cleaned_data)
    except PodiumError as error:
        form.add_error(None, error.sentence)
        return _publish_page(request, form, current, text, status=error.status)
    messages.success(request, f"{published} is out.")
    return redirect("guideline-list")


def _publish_page(
    request: HttpRequest, form: PublishForm, current: Guideline, text: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "current": current,
        "purpose": Purpose(current.purpose),
        "standing": standing(current),
        "preview": text[:MAX_CHARACTERS],
    }
    page, part = "labeling/guidelines/publish.html", "labeling/guidelines/_preview.html"
    return page_or_part(request, page, part, context, status=status)


def _mine(labeler: Labeler) -> list[dict[str, object]]:
    """The guidelines that this labeler works under, with when they confirmed each."""
    newest = [publish.current(purpose) for purpose in PURPOSES[labeler.cohort]]
    confirmed = dict(
        Acknowledgement.objects.filter(labeler=labeler, guideline__in=newest).values_list(
            "guideline_id", "acknowledged_at"
        )
    )
    return [{"row": guideline, "confirmed_at": confirmed.get(guideline.pk)} for guideline in newest]


def _whole(guideline: Guideline) -> str:
    return f"{guideline.title}\n\n{guideline.body}"


def _onward(request: HttpRequest, address: str) -> str:
    """The address where it is one of ours; empty otherwise, so that no link sends anybody elsewhere."""
    ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if ours else ""
