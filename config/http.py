"""What views share: the typed htmx request, the page-or-part answer, and domain errors turned into answers."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from labeling.errors import PodiumError


class HtmxRequest(HttpRequest):
    """A request after HtmxMiddleware."""

    htmx: HtmxDetails


def page_or_part(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The part alone for htmx, the whole page for everybody else: one URL, one view, both ways."""
    wants_part = isinstance(getattr(request, "htmx", None), HtmxDetails) and bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, part if wants_part else page, dict(context), status=status)


class DomainErrorMiddleware:
    """Turns a PodiumError that a view let pass into a page, a part or JSON with its sentence and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PodiumError):
            return None
        if request.path.startswith("/api/"):
            return JsonResponse({"error": error.sentence, "code": error.code}, status=error.status)
        messages.error(request, error.sentence)
        template = "_error.html" if getattr(request, "htmx", False) else "error.html"
        return render(request, template, {"error": error}, status=error.status)
