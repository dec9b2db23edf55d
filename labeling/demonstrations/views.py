"""The writing page, and what its script asks for while somebody writes: a preview and the language."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling import access
from labeling.demonstrations import language
from labeling.demonstrations.forms import Answer, read, stored
from labeling.demonstrations.submit import correct, submit, why_final
from labeling.errors import BadInput, Conflict
from labeling.markdown import to_html
from labeling.models import Assignment, Kind, UseCase
from labeling.queue import drafts
from labeling.queue.views import ended, go_to_next, why_closed, workbench
from labeling.texts import clean


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """One prompt, one text, and what is to be said of the prompt. What is refused comes back; no word is lost.

    What was sent in is shown for correction until it is part of a dataset.
    """
    labeler = access.labeler_of(request)
    if request.method != "POST":
        language.warm_up()
        assignment = access.assignment_of(labeler, assignment_id, Kind.DEMONSTRATE)
        return _page(request, assignment, _known(assignment))
    answer = read(request.POST)
    correcting = "correction" in request.POST
    act = correct if correcting else submit
    try:
        act(labeler, assignment_id, answer.text, use_case=answer.use_case, traits=answer.traits)
    except BadInput as error:
        return _page(request, access.assignment_of(labeler, assignment_id, Kind.DEMONSTRATE), answer, error)
    except Conflict as error:
        return ended(request, labeler, assignment_id, Kind.DEMONSTRATE, error)
    if correcting:
        messages.success(request, "Your correction is stored.")
        return redirect("work-recent")
    return go_to_next(labeler, Kind.DEMONSTRATE, just_ended=True)


def _known(assignment: Assignment) -> Answer:
    """What the page starts with: the draft, else what was sent in, else the prompt's own use case."""
    if draft := drafts.fields_of(assignment):
        return read(draft)
    if assignment.state == Assignment.State.DONE:
        return stored(assignment.demonstration)
    return Answer(use_case=assignment.item.the_prompt.use_case)


def _page(request: HttpRequest, assignment: Assignment, answer: Answer, error: BadInput | None = None) -> HttpResponse:
    correcting = assignment.state == Assignment.State.DONE
    if closed := why_final(assignment.demonstration) if correcting else why_closed(assignment):
        return ended(request, assignment.labeler, assignment.pk, Kind.DEMONSTRATE, closed)
    context = {
        **workbench(assignment),
        "answer": answer,
        "use_cases": UseCase.choices,
        "traits": assignment.item.batch.rubric.traits,
        "correcting": correcting,
        "error": error.sentence if error else "",
    }
    return render(request, "labeling/demonstrations/write.html", context, status=error.status if error else 200)


@access.labeler_only
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """A text's Markdown, as it would look; nothing is stored."""
    part = "labeling/demonstrations/_preview.html"
    try:
        text = clean(request.POST.get("text", ""), "Your text")
    except BadInput as error:
        return render(request, part, {"error": error.sentence}, status=error.status)
    return render(request, part, {"html": to_html(text)})


@access.labeler_only
@require_POST
def text_language(request: HttpRequest) -> HttpResponse:
    """The language of a text, in a word; nothing where that cannot be told."""
    code = language.recognize(request.POST.get("text", ""))
    context = {"name": language.name_of(code) if code else ""}
    return render(request, "labeling/demonstrations/_language.html", context)
