"""Surveys: the labeler's answer, and what researchers and admins see of all answers together."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.models import Survey, SurveyMark
from labeling.surveys import hold
from labeling.surveys import results as aggregate
from labeling.surveys.cells import LEAST
from labeling.surveys.forms import OpenForm


@access.labeler_only
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """The open surveys, also those that were put away."""
    labeler = access.labeler_of(request)
    answered = set(SurveyMark.objects.filter(labeler=labeler, has_answered=True).values_list("survey", flat=True))
    surveys = [{"row": survey, "answered": survey.pk in answered} for survey in hold.open_to(labeler)]
    return render(request, "labeling/surveys/mine.html", {"surveys": surveys})


@access.labeler_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, survey_id: int) -> HttpResponse:
    labeler = access.labeler_of(request)
    survey = access.survey_for(labeler, survey_id)
    if request.method != "POST":
        answered = survey.marks.filter(labeler=labeler, has_answered=True).exists()
        return _form(request, survey, {"answered": answered})
    ticked = {question["key"]: request.POST.getlist(question["key"]) for question in survey.questions}
    try:
        hold.answer(labeler, survey, ticked)
    except PodiumError as error:
        return _form(request, survey, {"error": error.sentence, "ticked": ticked}, status=error.status)
    messages.success(request, "Thank you. Your answer is counted, and nothing says that it is yours.")
    return redirect("home")


@access.labeler_only
@require_POST
def dismiss(request: HttpRequest, survey_id: int) -> HttpResponse:
    labeler = access.labeler_of(request)
    hold.dismiss(labeler, access.survey_for(labeler, survey_id))
    return redirect("home")


@access.office_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey_list(request: HttpRequest) -> HttpResponse:
    """What was asked, and asking again."""
    form = OpenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = hold.open_survey(access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            form.add_error(None, error.sentence)
        else:
            messages.success(request, f"“{made}” is open; labelers find it on their start page.")
            return redirect("survey-list")
    context = {"surveys": Survey.objects.select_related("opened_by"), "form": form, "least": LEAST}
    return render(request, "labeling/surveys/list.html", context, status=422 if form.is_bound else 200)


@access.office_only
@never_cache
@require_safe
def results(request: HttpRequest, survey_id: int) -> HttpResponse:
    survey = access.survey_for_office(survey_id)
    context = {"survey": survey, "results": aggregate.results(survey), "least": LEAST, "fewest": LEAST - 1}
    return render(request, "labeling/surveys/results.html", context)


@access.office_only
@never_cache
@require_safe
def results_csv(request: HttpRequest, survey_id: int) -> HttpResponse:
    survey = access.survey_for_office(survey_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="survey-{survey.pk}.csv"'
    aggregate.write_csv(survey, response)
    return response


@access.office_only
@require_POST
def close(request: HttpRequest, survey_id: int) -> HttpResponse:
    survey = access.survey_for_office(survey_id)
    hold.close(survey)
    messages.success(request, f"“{survey}” is closed.")
    return redirect("survey-results", survey.pk)


def _form(request: HttpRequest, survey: Survey, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    ticked = context.pop("ticked", {})
    questions = [
        {
            **question,
            "type": "checkbox" if question["is_multiple"] else "radio",
            "options": [(key, words, key in ticked.get(question["key"], [])) for key, words in question["choices"]],
        }
        for question in survey.questions
    ]
    return render(
        request,
        "labeling/surveys/answer.html",
        {"survey": survey, "questions": questions, "least": LEAST, **context},
        status=status,
    )
