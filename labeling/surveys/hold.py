"""Opening a survey, answering it, closing it. The only writer of its rows.

An answer is added to counters and then gone. What may be shown grows by five answers or more at a time; the last ones
of a survey, where they are fewer than five, are never shown.
"""

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from labeling.errors import BadInput, Conflict
from labeling.labelers.models import Labeler, User
from labeling.surveys.cells import LEAST
from labeling.surveys.models import Survey, SurveyCount, SurveyMark
from labeling.surveys.questions import BY_KIND, NOT_SAID, Question
from labeling.texts import clean

Answers = Mapping[str, Sequence[str]]


def open_survey(user: User, kind: str, title: str) -> Survey:
    """Invite all labelers. Raises BadInput for no title or an unknown kind, Conflict where one of its kind is open."""
    if kind not in BY_KIND:
        raise BadInput(f"There is no survey of the kind “{kind[:30]}”.")
    title = clean(title, "The title")[:200]
    try:
        with transaction.atomic():
            return Survey.objects.create(kind=kind, title=title, questions=BY_KIND[kind], opened_by=user)
    except IntegrityError:
        raise Conflict("A survey of this kind is open. Close it first: nobody should be asked twice.") from None


def close(survey: Survey) -> None:
    """No more answers. Closed twice is closed once."""
    Survey.objects.filter(pk=survey.pk, closed_at=None).update(closed_at=timezone.now())


def invitations(labeler: Labeler) -> QuerySet[Survey]:
    """The open surveys that this labeler has neither answered nor put away."""
    return open_to(labeler).exclude(marks__labeler=labeler)


def open_to(labeler: Labeler) -> QuerySet[Survey]:
    """The open surveys, for labelers who are or were at work; a program has nothing to say."""
    if labeler.is_simulated or labeler.state not in (Labeler.State.ACTIVE, Labeler.State.PAUSED):
        return Survey.objects.none()
    return Survey.objects.filter(closed_at=None)


def answer(labeler: Labeler, survey: Survey, answers: Answers) -> None:
    """Count what was ticked, by question key; a question that is not there was left out.

    Raises BadInput for a choice that is not asked for, or two where one is, or nothing at all; Conflict for a second
    answer and for a survey that is closed.
    """
    ticked = _checked(survey.questions, answers)
    with transaction.atomic():
        # The survey's row is the lock under which all its counters change.
        locked = Survey.objects.select_for_update().get(pk=survey.pk)
        if not open_to(labeler).filter(pk=locked.pk).exists():
            raise Conflict("This survey is not open for you any more. Thank you all the same.")
        _, is_new = SurveyMark.objects.get_or_create(survey=locked, labeler=labeler, defaults={"has_answered": True})
        put_away = SurveyMark.objects.filter(survey=locked, labeler=labeler, has_answered=False)
        if not is_new and not put_away.update(has_answered=True):
            raise Conflict("You have answered this survey already. One answer counts.")
        _count(locked, ticked)


def dismiss(labeler: Labeler, survey: Survey) -> None:
    """Put the invitation away; the survey can still be answered while it is open."""
    SurveyMark.objects.get_or_create(survey=survey, labeler=labeler, defaults={"has_answered": False})


def _checked(questions: Sequence[Question], answers: Answers) -> list[tuple[str, str]]:
    """Pairs of question and choice, one at least of each question."""
    ticked: list[tuple[str, str]] = []
    for question in questions:
        key, chosen = question["key"], list(dict.fromkeys(answers.get(question["key"], ())))
        if unknown := set(chosen) - {choice for choice, _ in question["choices"]}:
            raise BadInput(f"“{min(unknown)[:30]}” is no answer to “{question['text']}”")
        if len(chosen) > 1 and not question["is_multiple"]:
            raise BadInput(f"Please choose one answer to “{question['text']}”")
        if len(chosen) > 1 and NOT_SAID[0] in chosen:
            raise BadInput(f"“{NOT_SAID[1]}” does not go with other answers to “{question['text']}”")
        ticked += [(key, choice) for choice in chosen or [""]]
    if not any(choice for _, choice in ticked):
        raise BadInput("Nothing is ticked yet. Answer one question at least, or put the survey away.")
    return ticked


def _count(survey: Survey, ticked: list[tuple[str, str]]) -> None:
    counters = SurveyCount.objects.filter(survey=survey)
    for question, choice in ticked:
        SurveyCount.objects.get_or_create(survey=survey, question=question, choice=choice)
        counters.filter(question=question, choice=choice).update(waiting=F("waiting") + 1)
    survey.waiting += 1
    if survey.waiting >= LEAST:
        counters.update(shown=F("shown") + F("waiting"), waiting=0)
        survey.shown, survey.waiting = survey.shown + survey.waiting, 0
    survey.save(update_fields=["waiting", "shown"])
