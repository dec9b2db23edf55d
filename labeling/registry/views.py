"""Checkpoints for researchers: the list, one with its lineage, its card, its download, and what may be done to it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import Conflict, PodiumError
from labeling.registry import card, card_facts, card_text, lineage, measures, picture, removal, serving
from labeling.registry.archive import Archive
from labeling.registry.forms import CardForm, CheckpointFilter, DeleteForm, PromoteForm
from labeling.registry.models import CardText, Promotion
from labeling.registry.packing import packed
from training.models import Checkpoint, Run
from training.runs.weights import bytes_of, folder_of, folders_of

PAGE = 30
USES = 100


@access.researcher_only
@require_safe
def checkpoint_list(request: HttpRequest) -> HttpResponse:
    form = CheckpointFilter(request.GET)
    rows = Checkpoint.objects.select_related("run__stage__round").order_by("-created_at", "-pk")
    page = Paginator(_filtered(form, rows), PAGE).get_page(request.GET.get("page"))
    found = measures.of(list(page))
    standing = serving.current()
    context = {
        "form": form,
        "page": page,
        "is_filtered": any(request.GET.get(name) for name in ("q", "kind")),
        "serving": standing,
        "rows": [{"checkpoint": row, "bytes": bytes_of(folder_of(row)), "measures": found[row.pk][:4]} for row in page],
    }
    return render(request, "labeling/registry/list.html", context)


def _filtered(form: CheckpointFilter, rows: "QuerySet[Checkpoint]") -> "QuerySet[Checkpoint]":
    if not form.is_valid():
        return rows
    if kind := form.cleaned_data["kind"]:
        rows = rows.filter(kind=kind)
    for word in form.cleaned_data["q"].replace("\x00", "").split():
        in_round = Q(run__stage__round__name__icontains=word)
        rows = rows.filter(
            Q(name__icontains=word) | Q(path__icontains=word) | Q(run__recipe__icontains=word) | in_round
        )
    return rows


@access.researcher_only
@never_cache
@require_safe
def checkpoint_detail(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    return _detail(request, access.checkpoint_for_research(checkpoint_id))


def _detail(
    request: HttpRequest,
    checkpoint: Checkpoint,
    *,
    promote: PromoteForm | None = None,
    delete: DeleteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    known = lineage.of(checkpoint, pseudonyms=True)
    standing = serving.current()
    folders = folders_of(checkpoint)
    uses = checkpoint.uses.filter(run__queue=Run.Queue.TRAINING).select_related("run").order_by("-run__created_at")
    context: dict[str, Any] = {
        "checkpoint": checkpoint,
        "removal": getattr(checkpoint, "removal", None),
        "run": checkpoint.run,
        "code": next((row["code_version"] for row in known["runs"] if row["makes"] == checkpoint.pk), None),
        "bytes": bytes_of(folder_of(checkpoint)),
        "is_here": folder_of(checkpoint) is not None,
        "measures": measures.of([checkpoint])[checkpoint.pk],
        "lineage": known,
        "picture": picture.draw(known),
        "made_from": picture.tell(known),
        "led_to": picture.uses(known),
        "uses": uses[:USES],
        "labels": [row for row in known["datasets"] if "cohorts" in row],
        "serving": standing,
        "serves": standing is not None and standing.checkpoint_id == checkpoint.pk,
        "promotions": Promotion.objects.filter(checkpoint=checkpoint).select_related("by", "ended_by"),
        "promote": promote or PromoteForm(initial={"seen": standing and standing.pk}),
        "delete": delete or DeleteForm(),
        "why_not_delete": removal.why_not(checkpoint),
        "frees": sum(bytes_of(folder) for folder in folders),
    }
    return render(request, "labeling/registry/detail.html", context, status=status)


@access.researcher_only
@require_POST
def checkpoint_promote(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    checkpoint = access.checkpoint_for_research(checkpoint_id)
    form = PromoteForm(request.POST)
    if form.is_valid():
        try:
            serving.promote(checkpoint, access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            return _refused(request, checkpoint, error, promote=form)
        messages.success(request, f"{checkpoint} serves from now on.")
        return redirect("checkpoint-detail", checkpoint.pk)
    return _detail(request, checkpoint, promote=form, status=422)


@access.researcher_only
@require_POST
def checkpoint_demote(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    checkpoint = access.checkpoint_for_research(checkpoint_id)
    form = PromoteForm(request.POST)
    if form.is_valid():
        try:
            serving.demote(form.cleaned_data["seen"] or 0, access.user_of(request), form.cleaned_data["why"])
        except PodiumError as error:
            return _refused(request, checkpoint, error, promote=form)
        messages.success(request, f"{checkpoint} serves no longer; nothing serves now.")
        return redirect("checkpoint-detail", checkpoint.pk)
    return _detail(request, checkpoint, promote=form, status=422)


def _refused(request: HttpRequest, checkpoint: Checkpoint, error: PodiumError, *, promote: PromoteForm) -> HttpResponse:
    """With its sentence; the next click is of somebody who has seen who serves now."""
    standing = serving.current()
    form = PromoteForm({"why": promote.cleaned_data["why"], "seen": standing.pk if standing else ""})
    form.is_valid()
    form.add_error("why", error.sentence)
    return _detail(request, checkpoint, promote=form, status=error.status)


@access.researcher_only
@require_POST
def checkpoint_delete(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    checkpoint = access.checkpoint_for_research(checkpoint_id)
    form = DeleteForm(request.POST)
    if form.is_valid():
        try:
            done = removal.delete_weights(checkpoint, access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            form.add_error("typed" if error.code == "bad-input" else None, error.sentence)
            return _detail(request, checkpoint, delete=form, status=error.status)
        messages.success(request, f"The weights are deleted, {done.bytes:,} bytes in all. The record stays.")
        return redirect("checkpoint-detail", checkpoint.pk)
    return _detail(request, checkpoint, delete=form, status=422)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkpoint_card(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    """The card as it reads, and the part of it that people write."""
    checkpoint = access.checkpoint_for_research(checkpoint_id)
    latest = CardText.objects.filter(checkpoint=checkpoint).first()
    standing = {"text": latest.text if latest else "", "base": latest.revision if latest else 0}
    form = CardForm(request.POST if request.method == "POST" else None, initial=standing)
    status = 200
    if form.is_bound and form.is_valid():
        try:
            card_text.save(checkpoint, access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            if isinstance(error, Conflict):
                form = CardForm({"text": form.cleaned_data["text"], "base": standing["base"]})
                form.is_valid()
            form.add_error("text", error.sentence)
            status = error.status
        else:
            messages.success(request, "Saved. The card and the next downloads have it.")
            return redirect("checkpoint-card", checkpoint.pk)
    elif form.is_bound:
        status = 422
    facts = card_facts.of(checkpoint)
    context = {
        "checkpoint": checkpoint,
        "form": form,
        "body": card.body(facts),
        "history": CardText.objects.filter(checkpoint=checkpoint).select_related("written_by"),
    }
    return render(request, "labeling/registry/card.html", context, status=status)


@access.researcher_only
@never_cache
@require_safe
def checkpoint_readme(request: HttpRequest, checkpoint_id: int) -> HttpResponse:
    facts = card_facts.of(access.checkpoint_for_research(checkpoint_id))
    response = HttpResponse(card.readme(facts), content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="README.md"'
    return response


@access.researcher_only
@never_cache
@require_GET
def checkpoint_download(request: HttpRequest, checkpoint_id: int) -> StreamingHttpResponse:
    """The folder with its card and lineage, as it is read from the disk. Raises Conflict where there is no folder."""
    checkpoint = access.checkpoint_for_research(checkpoint_id)
    archive: Archive = packed(checkpoint)
    response = StreamingHttpResponse(iter(archive), content_type="application/x-tar")
    response["Content-Length"] = str(archive.length)
    name = slugify(checkpoint.name) or "checkpoint"
    response["Content-Disposition"] = f'attachment; filename="{name}-{checkpoint.pk}.tar"'
    return response
