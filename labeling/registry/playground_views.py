"""The playground: type a prompt, choose one policy or two, and read what they answer."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.http import page_or_part
from labeling import access
from labeling.errors import BadInput, PodiumError
from labeling.prompts.conversation import Turn
from labeling.registry import playground
from labeling.registry.forms import TryForm
from labeling.registry.models import Try
from training.models import Run

PAGE = 20
LIVE = (Run.State.QUEUED, Run.State.RUNNING)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def playground_page(request: HttpRequest) -> HttpResponse:
    """The form, and this researcher's earlier tries."""
    user, policies = access.user_of(request), playground.usable()
    earlier = _earlier(request)
    form = TryForm(
        request.POST if request.method == "POST" else None, policies=policies, initial=_initial(request, earlier)
    )
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                one = playground.start(
                    user,
                    form.cleaned_data["text"],
                    form.chosen(),
                    form.settings(),
                    before=_turns(earlier, form.cleaned_data["answer"]),
                    blind=form.cleaned_data["blind"],
                )
            except PodiumError as error:
                form.add_error("text" if "prompt" in error.sentence.lower() else None, error.sentence)
            else:
                return redirect("playground-try", one.pk)
    context = {
        "form": form,
        "policies": policies,
        "earlier": earlier,
        "turns": _shown_turns(earlier, form),
        "page": Paginator(playground.of(user), PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "labeling/registry/playground.html", context, status=status)


@access.researcher_only
@never_cache
@require_safe
def playground_try(request: HttpRequest, try_id: UUID) -> HttpResponse:
    """One try. The part polls itself until the answers are there."""
    one = access.try_for_research(request, try_id)
    run = one.run
    context = {
        "try": one,
        "run": run,
        "sides": playground.sides(one),
        "is_live": run.state in LIVE,
        "ahead": playground.ahead_of(run),
        "nobody": playground.nobody_is_there(run),
        "spec": run.spec,
    }
    return page_or_part(request, "labeling/registry/try.html", "labeling/registry/_answers.html", context)


@access.researcher_only
@require_POST
def playground_reveal(request: HttpRequest, try_id: UUID) -> HttpResponse:
    playground.reveal(access.try_for_research(request, try_id))
    return redirect("playground-try", try_id)


def _earlier(request: HttpRequest) -> Try | None:
    """The try that this one repeats or goes on from, where the address or the form names one of theirs."""
    named = request.POST.get("after") or request.GET.get("after") or request.GET.get("again")
    try:
        return access.try_for_research(request, UUID(named)) if named else None
    except ValueError:
        return None


def _initial(request: HttpRequest, earlier: Try | None) -> dict[str, Any]:
    found: dict[str, Any] = {"first": request.GET.get("policy", "")}
    if earlier is None:
        return found
    parents = {parent.role: parent.checkpoint_id for parent in earlier.run.parents.all()}
    spec = earlier.run.spec
    found |= {
        "first": parents.get("policy"),
        "second": parents.get("policy_2"),
        "n": spec["samples_by_policy"]["policy"],
        "seed": earlier.run.seed,
        "blind": earlier.blind,
        **{name: spec[name] for name in ("temperature", "top_p", "response_length")},
    }
    if request.GET.get("after"):
        return found | {"after": earlier.pk, "answer": request.GET.get("answer", "")}
    return found | {
        "text": earlier.prompt,
        "seed": earlier.run.seed + 1,
    }


def _turns(earlier: Try | None, answer: str) -> list[Turn]:
    """The conversation so far: the earlier try's, and the answer with this number."""
    if earlier is None or not answer:
        return []
    said = playground.answer_of(earlier, answer)
    if said is None:
        raise BadInput("The prompt goes on from an answer that is not there any more.")
    before: list[Turn] = earlier.turns or [{"role": "user", "text": earlier.prompt}]
    return [*before, {"role": "assistant", "text": said}]


def _shown_turns(earlier: Try | None, form: TryForm) -> list[Turn]:
    answer = form.data.get("answer", "") if form.is_bound else form.initial.get("answer", "")
    try:
        return _turns(earlier, answer)
    except BadInput:
        return []
