"""The researcher's desk: what labelers proposed, and asking them for more."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import BadInput, Conflict, PodiumError
from labeling.models import Proposal
from labeling.proposals import ask, decide
from labeling.proposals.forms import AskForm, RefuseForm, TakeForm

PAGE = 20
State = Proposal.State


@access.researcher_only
@never_cache
@require_safe
def proposal_list(request: HttpRequest) -> HttpResponse:
    """Those that wait, longest first, each to be taken or refused; or those that were decided, newest first."""
    return _list_page(request)


def _list_page(
    request: HttpRequest, form: TakeForm | RefuseForm | None = None, of: Proposal | None = None, error: str = ""
) -> HttpResponse:
    """`form`, which has errors, is shown with the proposal that it is `of`."""
    wanted = request.GET.get("state", "")
    state = State(wanted) if wanted in State.values else State.WAITING
    rows = Proposal.objects.select_related("labeler", "decided_by", "assignment__item").prefetch_related("prompts")
    order = ["created_at", "pk"] if state == State.WAITING else ["-decided_at", "pk"]
    page = Paginator(rows.filter(state=state).order_by(*order), PAGE).get_page(request.GET.get("page"))
    counts = dict(Proposal.objects.order_by().values_list("state").annotate(Count("pk")))
    context = {
        "page": page,
        "cards": [(proposal, *_forms(proposal, form if proposal == of else None)) for proposal in page],
        "state": state,
        "states": [(value, label, counts.get(value, 0)) for value, label in State.choices],
        "error": error,
    }
    status = 409 if error else 422 if form else 200
    return render(request, "labeling/proposals/list.html", context, status=status)


def _forms(proposal: Proposal, posted: TakeForm | RefuseForm | None) -> tuple[TakeForm, RefuseForm]:
    prefix = f"id_{proposal.pk}_%s"
    initial = {"text": proposal.text, "use_case": proposal.use_case, "version": len(proposal.earlier)}
    take = posted if isinstance(posted, TakeForm) else TakeForm(initial=initial)
    refuse = posted if isinstance(posted, RefuseForm) else RefuseForm()
    take.fields["text"].label = "Instruction" if proposal.pairs else "Prompt"
    take.auto_id = refuse.auto_id = prefix
    return take, refuse


@access.researcher_only
@require_POST
def proposal_take(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Makes it prompts, as the researcher has worded it."""
    proposal = access.proposal_for_research(proposal_id)
    form = TakeForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, proposal)
    try:
        prompts = decide.take(proposal, access.user_of(request), **form.cleaned_data)
    except PodiumError as error:
        return _not_done(request, form, proposal, error)
    made = "a prompt" if len(prompts) == 1 else f"{len(prompts)} prompts"
    messages.success(request, f"Taken: it is {made} now, split {prompts[0].split}.")
    return redirect("proposal-list")


@access.researcher_only
@require_POST
def proposal_refuse(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Says no, with a note that its labeler reads."""
    proposal = access.proposal_for_research(proposal_id)
    form = RefuseForm(request.POST)
    if not form.is_valid():
        return _list_page(request, form, proposal)
    try:
        decide.refuse(proposal, access.user_of(request), form.cleaned_data["note"])
    except PodiumError as error:
        return _not_done(request, form, proposal, error)
    messages.success(request, "Refused. Its labeler reads your note.")
    return redirect("proposal-list")


def _not_done(
    request: HttpRequest, form: TakeForm | RefuseForm, proposal: Proposal, error: PodiumError
) -> HttpResponse:
    if isinstance(error, Conflict):  # it is no longer among those that wait
        return _list_page(request, error=error.sentence)
    form.add_error(None, error.sentence)
    return _list_page(request, form, proposal)


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def proposal_ask(request: HttpRequest) -> HttpResponse:
    """Asks labelers for prompts; leads to the batch."""
    form = AskForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            batch = ask.ask(**form.cleaned_data)
        except BadInput as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "Asked: it is in the labelers' queue.")
            return redirect("batch-detail", batch.pk)
    status = 422 if form.is_bound else 200
    return render(request, "labeling/proposals/ask.html", {"form": form}, status=status)
