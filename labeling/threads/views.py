"""Messages: a labeler's questions and what was answered, and the researcher's side of them."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.http import page_or_part, wants_part
from labeling import access
from labeling.errors import BadInput
from labeling.models import Assignment, Kind, Role, Thread
from labeling.queue.views import PAGES
from labeling.threads import talk
from labeling.threads.forms import AnnounceForm, AskForm, MessageForm

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


@access.researcher_only
@require_POST
def thread_announce(request: HttpRequest) -> HttpResponse:
    """Tells all labelers."""
    form = AnnounceForm(request.POST)
    if form.is_valid():
        try:
            thread = talk.announce(access.user_of(request), form.cleaned_data["title"], form.cleaned_data["text"])
        except BadInput as error:
            form.add_error("text", error.sentence)
        else:
            return redirect("thread-detail", thread.pk)
    return _list_page(request, form, status=422)


def _list_page(request: HttpRequest, form: forms.Form | None = None, *, status: int = 200) -> HttpResponse:
    user = access.user_of(request)
    is_researcher = Role.RESEARCHER in user.roles
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
        "form": form or (AnnounceForm() if is_researcher else AskForm()),
        "unread": talk.unread(user),
    }
    return render(request, "labeling/threads/list.html", context, status=status)


def _conversation(request: HttpRequest, thread: Thread, form: MessageForm, *, status: int = 200) -> HttpResponse:
    user = access.user_of(request)
    posts = [
        {"row": post, "by": "You" if post.author_id == user.pk else talk.name_of(post, thread)}
        for post in thread.posts.select_related("author")
    ]
    context = {
        "thread": thread,
        "posts": posts,
        "form": form,
        "is_researcher": Role.RESEARCHER in user.roles,
        "may_reply": talk.may_reply(user, thread),
        "unread": talk.unread(user),
    }
    return render(request, "labeling/threads/detail.html", context, status=status)
