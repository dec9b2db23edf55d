"""What a candidate sees: the set as a list of steps on the start page, each step, and the sending in."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling import access
from labeling.errors import BadInput, PodiumError
from labeling.models import Labeler, Response, ScreeningItem, ScreeningSet, Sitting
from labeling.screening import answers, sit
from labeling.screening.show import TITLES, step_context
from labeling.threads.talk import unread


def home(request: HttpRequest, labeler: Labeler, *, error: str = "", status: int = 200) -> HttpResponse:
    """The start page of a candidate, and of one who was not selected."""
    sitting = Sitting.objects.filter(labeler=labeler).select_related("screening_set").first()
    steps = sit.steps(sitting) if sitting else []
    listed = [
        {
            "step": number,
            "title": TITLES[ScreeningItem.Kind(item.kind)],
            "beginning": item.text,
            "is_done": sit.is_done(response),
            "is_begun": response is not None and not answers.is_blank(response.value),
        }
        for number, (item, response) in enumerate(steps, start=1)
    ]
    done = sum(sit.is_done(response) for _, response in steps)
    context = {
        "labeler": labeler,
        "sitting": sitting,
        "closed": sit.why_closed(sitting) if sitting else "",
        "is_open": ScreeningSet.objects.filter(is_open=True).exists(),
        "steps": listed,
        "done": done,
        "next_step": next((row["step"] for row in listed if not row["is_done"]), None),
        "error": error,
        "unread": unread(access.user_of(request)),
    }
    return render(request, "labeling/screening/home.html", context, status=status)


@access.labeler_only
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    sit.begin(access.labeler_of(request))
    return redirect("candidate-step", 1)


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, step: int) -> HttpResponse:
    """One item. What stands there is stored with 'Save and go on', whether it is whole or not."""
    sitting = access.sitting_of(request)
    item, response, following = _at(sitting, step)
    error, status = "", 200
    if request.method == "POST":
        try:
            sit.save(sitting, item, request.POST)
        except BadInput as refused:
            value: answers.Value = str(request.POST.get("text", ""))
            return _step_page(request, sitting, step, item, value, error=refused.sentence, status=refused.status)
        except PodiumError as refused:
            error, status = refused.sentence, refused.status
            response = Response.objects.filter(sitting=sitting, item=item).first()
        else:
            return redirect("candidate-step", following) if following else redirect("home")
    value = response.value if response else answers.read(item.kind, item.parts, {})
    return _step_page(request, sitting, step, item, value, response=response, error=error, status=status)


def _step_page(
    request: HttpRequest,
    sitting: Sitting,
    number: int,
    item: ScreeningItem,
    value: answers.Value,
    *,
    response: Response | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **step_context(item, value, sitting.pk),
        "step": number,
        "steps": len(sit.steps(sitting)),
        "revision": response.revision if response else 0,
        "closed": sit.why_closed(sitting),
        "error": error,
    }
    return render(request, "labeling/screening/step.html", context, status=status)


@access.labeler_only
@require_POST
def draft(request: HttpRequest, step: int) -> JsonResponse:
    """Stores the page's fields by itself. `?base=` names the revision that the page knows; 409 brings a newer one."""
    sitting = access.sitting_of(request)
    base = request.GET.get("base", "")
    if not (base.isascii() and base.isdigit() and len(base) <= 9):
        raise BadInput("A draft names the revision it began with.")
    item, _, _ = _at(sitting, step)
    try:
        stored = sit.save(sitting, item, request.POST, int(base))
    except sit.Newer as newer:
        fields = answers.fields(item.kind, newer.stored.value)
        answer = {"error": newer.sentence, "revision": newer.stored.revision, "fields": fields}
        return JsonResponse(answer, status=newer.status)
    return JsonResponse({"revision": stored.revision, "saved_at": stored.saved_at.isoformat()})


@access.labeler_only
@require_POST
def send_in(request: HttpRequest) -> HttpResponse:
    sitting = access.sitting_of(request)
    try:
        sit.send_in(sitting)
    except PodiumError as error:
        return home(request, access.labeler_of(request), error=error.sentence, status=error.status)
    messages.success(request, "Sent in. Thank you.")
    return redirect("home")


def _at(sitting: Sitting, number: int) -> tuple[ScreeningItem, Response | None, int | None]:
    """The item of this step, what was said to it, and the number of the step that follows."""
    steps = sit.steps(sitting)
    if not 1 <= number <= len(steps):
        raise Http404
    item, response = steps[number - 1]
    return item, response, number + 1 if number < len(steps) else None
