"""Topics that not everybody wants to read about: a labeler chooses, a researcher names and tags."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, F, Func, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import BadInput, PodiumError
from labeling.models import Labeler, Prompt
from labeling.prompts import topics
from labeling.queue import dispatch
from labeling.topics import edit, tag
from labeling.topics.forms import ChooseForm, TagForm, TopicForm

EXAMPLES = 10


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def topic_choose(request: HttpRequest) -> HttpResponse:
    """What a labeler would rather not read about. Nothing follows from it but that the queue respects it."""
    labeler = access.labeler_of(request)
    form = ChooseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        dispatch.choose_topics(labeler, form.cleaned_data["unwanted"])
        messages.success(request, "Saved. From now on you are given pieces accordingly.")
        return redirect("topic-choose")
    context = {"labeler": labeler, "topics": topics.known(), "form": form}
    return render(request, "labeling/topics/choose.html", context, status=422 if form.is_bound else 200)


@access.researcher_only
@never_cache
@require_safe
def topic_list(request: HttpRequest) -> HttpResponse:
    return _list_page(request, TopicForm())


@access.researcher_only
@require_POST
def topic_add(request: HttpRequest) -> HttpResponse:
    form = TopicForm(request.POST)
    if form.is_valid():
        try:
            edit.add(**form.cleaned_data)
        except PodiumError as error:
            form.add_error("name", error.sentence)
        else:
            return redirect("topic-list")
    return _list_page(request, form, status=422)


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def topic_describe(request: HttpRequest, slug: str) -> HttpResponse:
    topic = access.topic_for_research(slug)
    form = TopicForm(request.POST or None, initial={"name": topic.name, "description": topic.description})
    if form.is_valid():
        try:
            edit.describe(topic, **form.cleaned_data)
        except PodiumError as error:
            form.add_error("name", error.sentence)
        else:
            return redirect("topic-list")
    status = 422 if request.method == "POST" else 200
    return render(request, "labeling/topics/describe.html", {"slug": slug, "form": form}, status=status)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def topic_tag(request: HttpRequest) -> HttpResponse:
    """Shows how many prompts the words find; tags them, or takes the tag off, when that button is pressed.

    Looking is a POST as well: a long list of words does not fit into an address.
    """
    topics.known()
    form = TagForm(request.POST if request.method == "POST" else None)
    found = _found(form)
    if found is None:
        return render(request, "labeling/topics/tag.html", {"form": form}, status=422 if form.is_bound else 200)
    topic = form.cleaned_data["topic"]
    if "tag" in request.POST:
        return _changed(request, f"{topic}: tagged %s.", tag.tag(found, topic.slug))
    if "untag" in request.POST:
        return _changed(request, f"{topic}: taken off %s.", tag.untag(found, topic.slug))
    total, carrying = found.count(), tag.carrying(found, topic.slug).count()
    context = {
        "form": form,
        "topic": topic,
        "total": total,
        "carrying": carrying,
        "to_tag": total - carrying,
        "examples": found.exclude(topics__contains=[topic.slug])[:EXAMPLES],
    }
    return render(request, "labeling/topics/tag.html", context)


def _changed(request: HttpRequest, sentence: str, prompt_ids: Sequence[UUID]) -> HttpResponse:
    """The queue hears of it in the same transaction: no piece is given out by the tags of before."""
    dispatch.retopic(prompt_ids)
    messages.success(request, sentence % f"{len(prompt_ids):,} {'prompt' if len(prompt_ids) == 1 else 'prompts'}")
    return redirect("topic-list")


def _found(form: TagForm) -> QuerySet[Prompt] | None:
    """The prompts that the form's words find; None, with the errors in the form, where it says none."""
    if not form.is_valid():
        return None
    try:
        return tag.containing(tag.phrases_in(form.cleaned_data["words"]))
    except BadInput as error:
        form.add_error("words", error.sentence)
        return None


def _list_page(request: HttpRequest, form: TopicForm, *, status: int = 200) -> HttpResponse:
    people = Labeler.objects.filter(state=Labeler.State.ACTIVE, is_simulated=False)
    prompts, opted_out = _per_topic(Prompt.objects.all(), "topics"), _per_topic(people, "unwanted_topics")
    rows = [
        {"topic": topic, "prompts": prompts[topic.slug], "opted_out": opted_out[topic.slug]} for topic in topics.known()
    ]
    context = {"rows": rows, "labelers": people.count(), "form": form}
    return render(request, "labeling/topics/list.html", context, status=status)


def _per_topic(rows: "QuerySet[Prompt] | QuerySet[Labeler]", field: str) -> Counter[str]:
    """How many of the rows name each topic in this array."""
    counted = rows.order_by().annotate(slug=Func(F(field), function="unnest")).values("slug").annotate(n=Count("*"))
    return Counter({row["slug"]: row["n"] for row in counted})
