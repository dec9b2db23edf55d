"""What views share: the typed htmx request, page or part, roles at the door, headers, errors turned into answers."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import render, resolve_url
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


def wants_json(request: HttpRequest) -> bool:
    """Whether a program or a script asks, which has no use for a page."""
    return request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json")


def frame(request: HttpRequest) -> dict[str, str]:
    """Context processor: what a page extends that may come whole or, for htmx, as its `#main` alone."""
    return {"frame": "bare.html" if wants_part(request) else "base.html"}


def _fills_main(request: HttpRequest) -> bool:
    """Whether the part that htmx wants is all between header and footer."""
    return wants_part(request) and cast(HtmxRequest, request).htmx.target == "main"


def page_or_part(
    request: HttpRequest, page: str, part: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """The part alone for htmx, the whole page for everybody else: one URL, one view, both ways."""
    return render(request, part if wants_part(request) else page, dict(context), status=status)


def role_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """A view for who has one of the roles: who is not logged in goes to the log-in page, others find nothing here.

    A script is told so (401) instead: it would take the log-in page for the answer, and the words with it.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if wants_part(request) or wants_json(request):
                    return _logged_out()
                return redirect_to_login(request.get_full_path())
            if request.user.roles.isdisjoint(roles):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _logged_out() -> JsonResponse:
    login = resolve_url(settings.LOGIN_URL)
    return JsonResponse({"error": "You are logged out.", "code": "logged-out", "login": login}, status=401)


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
        if wants_json(request):
            return JsonResponse({"error": error.sentence, "code": error.code}, status=error.status)
        part = "error.html" if _fills_main(request) else "_error.html"
        return page_or_part(request, "error.html", part, {"error": error}, status=error.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open too long or the cookie is gone; what was sent is given back, for it is stored nowhere."""
    if wants_part(request) or wants_json(request):
        if not request.user.is_authenticated:  # all cookies are gone: to log in brings new ones
            return _logged_out()
        sentence = "The page's security cookie is missing or out of date: please reload the page."
        return JsonResponse({"error": sentence, "code": "csrf"}, status=403)
    return render(request, "403_csrf.html", {"words": words_of(request.POST)}, status=403)


def words_of(posted: QueryDict) -> str:
    """What somebody wrote among the fields of a form: texts, not choices, and never a password."""
    fields = ((name, str(value).strip()) for name, values in posted.lists() for value in values)
    return "\n\n".join(value for name, value in fields if _is_prose(name, value))


def _is_prose(name: str, value: str) -> bool:
    if "password" in name:
        return False
    return bool(value) and (name == "text" or len(value.split()) > 1)


def health(request: HttpRequest) -> JsonResponse:
    """200 where the database answers, 503 where it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"database": "does not answer"}, status=503)
    return JsonResponse({"database": "ok"})
