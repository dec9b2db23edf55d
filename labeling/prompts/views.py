"""The researcher's prompts: looking through them, and taking new ones in."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from config.http import page_or_part
from labeling import access
from labeling.errors import BadInput
from labeling.models import Prompt, UseCase
from labeling.prompts import topics
from labeling.prompts.forms import PromptFilter, PromptImport
from labeling.prompts.intake import take_in

PAGE = 50


@access.researcher_only
@require_safe
def prompt_list(request: HttpRequest) -> HttpResponse:
    form = PromptFilter(request.GET)
    page = Paginator(filtered(form), PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page}
    return page_or_part(request, "labeling/prompts/list.html", "labeling/prompts/_rows.html", context)


def filtered(form: PromptFilter) -> QuerySet[Prompt]:
    prompts = Prompt.objects.all()
    form.is_valid()  # what is not valid is not in cleaned_data, and filters nothing
    for name in ("split", "use_case", "source"):
        if value := form.cleaned_data.get(name):
            prompts = prompts.filter(**{name: value})
    if words := form.cleaned_data.get("q"):
        prompts = prompts.filter(text__icontains=words)
    return prompts


@access.researcher_only
@require_http_methods(["GET", "HEAD", "POST"])
def prompt_import(request: HttpRequest) -> HttpResponse:
    """Takes prompts in and reports what became of every line; a bad line does not keep the good ones out."""
    form = PromptImport(request.POST or None, request.FILES or None)
    explained = {"use_cases": UseCase.choices, "topics": topics.known()}
    if request.method != "POST":
        return render(request, "labeling/prompts/import.html", {"form": PromptImport(), **explained})
    intake = None
    if form.is_valid():
        try:
            intake = take_in(form.rows(), source=form.cleaned_data["source"], owner_key=form.cleaned_data["owner_key"])
        except BadInput as error:
            form.add_error(None, error.sentence)
    if intake is None:
        return render(request, "labeling/prompts/import.html", {"form": form, **explained}, status=422)
    return render(request, "labeling/prompts/import.html", {"form": PromptImport(), "intake": intake, **explained})
