"""What views share: the typed htmx request, page or part, roles at the door, headers, errors turned into answers."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from labeling.errors import PodiumError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

# Scripts come from our own files alone. Plotly writes style elements, so a page that plots asks for those.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'{styles}; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class HtmxRequest(HttpRequest):
    """A request after HtmxMiddleware."""

    htmx: HtmxDetails


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks, and so wants the part alone; going back in the history it wants the whole page."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def frame(request: HttpRequest) -> dict[str, str]:
    """Context processor: what a page extends that may come whole or, for htmx, as its `#main` alone."""
    return {"frame": "bare.html" if wants_part(request) else "base.html"}


def page_or_part(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The part alone for htmx, the whole page for everybody else: one URL, one view, both ways."""
    return render(request, part if wants_part(request) else page, dict(context), status=status)


def role_required(role: str) -> Callable[[View[P]], View[P]]:
    """A view for one role: who is not logged in goes to the log-in page, everybody else finds nothing here."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if role not in request.user.roles:
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def plots(view: View[P]) -> View[P]:
    """A page that draws with Plotly."""

    @wraps(view)
    def plotting(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(styles=" 'unsafe-inline'")
        return response

    return plotting


class ContentSecurityPolicyMiddleware:
    """The header on every answer that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(styles=""))
        return response


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
        return page_or_part(request, "error.html", "_error.html", {"error": error}, status=error.status)


def health(request: HttpRequest) -> JsonResponse:
    """200 where the database answers, 503 where it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "does not answer"}, status=503)
    return JsonResponse({"database": "ok"})
