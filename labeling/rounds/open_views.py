"""Opening a round from a form, comparing two rounds' settings, and bringing in what a first round needs."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from config.http import page_or_part
from labeling import access
from labeling.errors import BadInput
from labeling.models import Guideline, Purpose, Round
from labeling.rounds import diff, missing, texts_in
from labeling.rounds.defaults import PRESETS, settings_of
from labeling.rounds.import_forms import BaseImport, TextImport
from labeling.rounds.open_form import RoundForm, available
from training.models import Checkpoint, Dataset
from training.runs.launch import queue_run

PAGE, DRY_RUN = "labeling/rounds/new.html", "labeling/rounds/_dry_run.html"


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def round_new(request: HttpRequest) -> HttpResponse:
    """The form; with `dry` what such a round would take, of which nothing is written."""
    if request.method != "POST":
        return render(request, PAGE, _page(_first_form(request)))
    form = RoundForm(request.POST)
    problems = form.problems()
    if "dry" in request.POST:
        context = _page(form) | {"problems": problems, "estimate": None if problems else form.would_take(), "dry": True}
        return page_or_part(request, PAGE, DRY_RUN, context)
    if not problems:
        try:
            round_ = form.open(access.user_of(request))
        except BadInput as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, "The round is open.")
            return redirect("round-detail", round_.pk)
    return render(request, PAGE, _page(form) | {"problems": problems}, status=422)


def _page(form: RoundForm) -> dict[str, Any]:
    return {"form": form, "missing": missing.of_project(), "presets": PRESETS, "rounds": Round.objects.all()[:20]}


def _first_form(request: HttpRequest) -> RoundForm:
    """From a preset, or another round; else from one's last round, and for who has opened none from the paper."""
    if (preset := request.GET.get("preset", "")) in PRESETS:
        return _preset(preset)
    if request.GET.get("from", "").isdecimal():
        return _clone(access.round_for_research(int(request.GET["from"])))
    if last := Round.objects.filter(created_by=access.user_of(request)).first():
        return _clone(last)
    return _preset("paper")


def _preset(name: str) -> RoundForm:
    start = _with_rows(settings_of(PRESETS[name], available("", [])))
    return RoundForm(start=start, initial={"name": f"Round {Round.objects.count() + 1}"})


def _clone(round_: Round) -> RoundForm:
    names = {"name": f"{round_.name} (again)"[:200], "seed": round_.seed}
    return RoundForm(start=round_.settings, initial=names)


def _with_rows(settings: Mapping[str, Any]) -> dict[str, Any]:
    """With the newest texts, guidelines and base model that are here."""
    texts = list(Dataset.objects.filter(kind="texts").order_by("-rows", "-pk")[:2])
    guidelines = {
        purpose.value: newest.pk
        for purpose in Purpose
        if (newest := Guideline.objects.filter(purpose=purpose).order_by("-version").first())
    }
    found: dict[str, Any] = {**settings, "guidelines": guidelines}
    if texts:
        found |= {"texts": texts[0].pk, "valid_texts": texts[-1].pk if len(texts) > 1 else None}
    return found


@access.researcher_only
@require_safe
def round_compare(request: HttpRequest) -> HttpResponse:
    """Two rounds' settings side by side: those that differ, or with `all` every one."""
    rounds = list(Round.objects.all()[:200])
    chosen = [
        access.round_for_research(int(request.GET[name]))
        for name in ("first", "second")
        if request.GET.get(name, "").isdecimal()
    ]
    everything = "all" in request.GET
    groups = None
    if len(chosen) == 2:
        first, second = ({**one.settings, "seed": one.seed} for one in chosen)
        groups = diff.compare(first, second, everything=everything)
    context = {"rounds": rounds, "chosen": chosen, "groups": groups, "everything": everything}
    return render(request, "labeling/rounds/compare.html", context)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def text_import(request: HttpRequest) -> HttpResponse:
    """Texts for pretraining, PPO-ptx and the language-model loss, as one dataset or with a held-out part of it."""
    form = TextImport(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            made = texts_in.take_in(form.cleaned_data["file"], form.cleaned_data["cut"], form.cleaned_data["held_out"])
        except BadInput as error:
            form.add_error(None, error.sentence)
        else:
            rows = " and ".join(f"{dataset.rows:,}" for dataset in made)
            messages.success(request, f"Frozen: {rows} texts. A round can be opened with them.")
            return redirect("dataset-list")
    return render(request, "labeling/rounds/text_import.html", {"form": form}, status=422 if form.is_bound else 200)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def base_import(request: HttpRequest) -> HttpResponse:
    """A base model from the hub or a folder of the machine that trains, by a run of its own."""
    form = BaseImport(request.POST or None)
    if form.is_valid():
        spec, name = form.spec(), form.cleaned_data["model"]
        run = queue_run(recipe="import_model", name=f"import {name}"[-100:], spec=spec, seed=0, inputs={}, parents={})
        messages.success(request, "The model is on its way. Once the run is done, rounds can start from it.")
        return redirect("run-detail", run.pk)
    there = Checkpoint.objects.filter(kind=Checkpoint.Kind.POLICY, run__recipe="import_model")
    context = {"form": form, "there": there.select_related("run")}
    return render(request, "labeling/rounds/base_import.html", context, status=422 if form.is_bound else 200)
