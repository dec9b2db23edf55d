"""Messages: a labeler's questions and what was answered, and the researcher's side of them."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.http import page_or_part, wants_part
from labeling import access
from labeling.errors import BadInput, PodiumError
from labeling.guidelines import publish
from labeling.models import Assignment, Kind, Precedent, Role, Thread
from labeling.queue.views import PAGES
from labeling.threads import precedents, talk
from labeling.threads.forms import AnnounceForm, AskForm, MessageForm, PrecedentForm

PAGE = 50
SENT = "Sent. The answer comes under Messages."


@login_required
@never_cache
@require_safe
def thread_list(request: HttpRequest) -> HttpResponse:
    """Researchers find what waits for an answer first, labelers what was written last."""
    return _list_page(request)


@login_required
@never_cache
@require_safe
def thread_detail(request: HttpRequest, thread_id: int) -> HttpResponse:
    """A conversation; whoever opens it has read it."""
    user = access.user_of(request)
    thread = access.thread_for(user, thread_id)
    talk.mark_read(user, thread)
    return _conversation(request, thread, MessageForm())


@login_required
@require_POST
def thread_reply(request: HttpRequest, thread_id: int) -> HttpResponse:
    user = access.user_of(request)
    thread = access.thread_for(user, thread_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _conversation(request, thread, form, status=422)
    try:
        talk.reply(user, thread, form.cleaned_data["text"])
    except BadInput as error:
        form.add_error("text", error.sentence)
        return _conversation(request, thread, form, status=error.status)
    return redirect("thread-detail", thread.pk)


@access.labeler_only
@require_POST
def thread_ask(request: HttpRequest) -> HttpResponse:
    """A labeler's question. From a work page it comes by htmx and goes back there: the page must not be lost."""
    labeler = access.labeler_of(request)
    form = AskForm(request.POST)
    is_complete = form.is_valid()
    if "assignment" in form.errors:
        raise Http404
    about = form.cleaned_data["assignment"]
    assignment = access.piece_of(labeler, about) if about else None
    if is_complete:
        try:
            thread = talk.ask(labeler, form.cleaned_data["text"], assignment.item if assignment else None)
        except BadInput as error:
            form.add_error("text", error.sentence)
    if not form.is_valid():
        context = {"ask_form": form, "assignment": assignment}
        return page_or_part(request, "labeling/threads/ask.html", "labeling/threads/_ask.html", context, status=422)
    if wants_part(request):
        return render(request, "labeling/threads/_ask.html", {"asked": True, "assignment": assignment})
    messages.success(request, SENT)
    kind = Kind(assignment.item.batch.kind) if assignment else None
    if assignment and kind in PAGES and assignment.state == Assignment.State.LEASED:
        return redirect(PAGES[kind], assignment.pk)
    return redirect("thread-detail", thread.pk)


@access.office_only
@require_POST
def thread_announce(request: HttpRequest) -> HttpResponse:
    """Tells all labelers, or a cohort."""
    form = AnnounceForm(request.POST)
    if form.is_valid():
        try:
            thread = talk.announce(access.user_of(request), **form.cleaned_data)
        except BadInput as error:
            form.add_error("text", error.sentence)
        else:
            return redirect("thread-detail", thread.pk)
    return _list_page(request, form, status=422)


@access.labeler_only
@require_POST
def thread_dismiss(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Puts an announcement away from the start page."""
    user = access.user_of(request)
    talk.dismiss(user, access.thread_for(user, thread_id))
    return redirect("home")


def _list_page(request: HttpRequest, form: forms.Form | None = None, *, status: int = 200) -> HttpResponse:
    user = access.user_of(request)
    is_researcher = Role.RESEARCHER in user.roles
    may_announce = bool(talk.ANNOUNCERS & user.roles)
    order = ["-is_unanswered", "-last_at"] if is_researcher else ["-last_at"]
    threads = (
        access.threads_for(user)
        .select_related("labeler")
        .annotate(is_unread=talk.is_unread(user), is_unanswered=talk.is_unanswered())
        .order_by(*order)
    )
    context = {
        "page": Paginator(threads, PAGE).get_page(request.GET.get("page")),
        "is_researcher": is_researcher,
        "may_announce": may_announce,
        "form": form or (AnnounceForm() if may_announce else AskForm()),
        "unread": talk.unread(user),
    }
    return render(request, "labeling/threads/list.html", context, status=status)


def _conversation(
    request: HttpRequest,
    thread: Thread,
    form: MessageForm,
    *,
    precedent_form: PrecedentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = access.user_of(request)
    posts = [
        {"row": post, "by": "You" if post.author_id == user.pk else talk.name_of(post, thread)}
        for post in thread.posts.select_related("author")
    ]
    context = {
        "thread": thread,
        "posts": posts,
        "form": form,
        "is_researcher": (is_researcher := Role.RESEARCHER in user.roles),
        "precedents": thread.precedents.select_related("guideline") if is_researcher else [],
        "precedent_form": _precedent_form(thread, precedent_form) if is_researcher else None,
        "may_reply": talk.may_reply(user, thread),
        "unread": talk.unread(user),
    }
    return render(request, "labeling/threads/detail.html", context, status=status)


@access.researcher_only
@require_POST
def precedent_publish(request: HttpRequest, thread_id: int) -> HttpResponse:
    """An answer that holds for everybody goes beside the guideline."""
    user = access.user_of(request)
    thread = access.thread_for(user, thread_id)
    form = PrecedentForm(request.POST, prefix="precedent")
    if form.is_valid():
        try:
            made = precedents.publish(user, thread, **form.cleaned_data)
        except PodiumError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, _undo(request, made, "withdraw"))
            return redirect("thread-detail", thread.pk)
    return _conversation(request, thread, MessageForm(), precedent_form=form, status=422)


@access.researcher_only
@require_POST
def precedent_withdraw(request: HttpRequest, precedent_id: int) -> HttpResponse:
    precedent = access.precedent_for_research(precedent_id)
    precedents.withdraw(precedent, access.user_of(request))
    messages.success(request, _undo(request, precedent, "restore"))
    return redirect("guideline-read", precedent.guideline_id)


@access.researcher_only
@require_POST
def precedent_restore(request: HttpRequest, precedent_id: int) -> HttpResponse:
    precedent = access.precedent_for_research(precedent_id)
    precedents.restore(precedent)
    messages.success(request, "The precedent is back.")
    return redirect("guideline-read", precedent.guideline_id)


def _undo(request: HttpRequest, precedent: Precedent, how: str) -> str:
    """What was done, with a button that undoes it."""
    return render_to_string("labeling/threads/_undo.html", {"precedent": precedent, "undo": how}, request)


def _precedent_form(thread: Thread, form: PrecedentForm | None) -> PrecedentForm:
    """Filled with the question and the last answer, for the researcher to make general."""
    if form:
        return form
    publish.ensure_first()  # a new installation has no guideline before somebody works under it
    by_labeler = Q(author__labeler=thread.labeler) if thread.labeler_id else Q(pk=None)
    question, answer = thread.posts.filter(by_labeler).first(), thread.posts.exclude(by_labeler).last()
    initial: dict[str, object] = {
        "question": question.text if question else "",
        "answer": answer.text if answer else "",
    }
    if thread.item:
        initial["guideline"] = precedents.in_force().filter(purpose=thread.item.batch.purpose).first()
    return PrecedentForm(prefix="precedent", initial=initial)
