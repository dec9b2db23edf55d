"""The API for programs: prompts in and out, how rounds and runs stand, agreement. Same roles as the pages."""

from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView

from labeling import access
from labeling.adjudication.report import decisions
from labeling.agreement import cards, consensus_report, findings, report
from labeling.agreement.forms import filters_of
from labeling.agreement.rows import Filters
from labeling.agreement.scorecard_words import of_everybody, of_labeler
from labeling.errors import BadInput
from labeling.figures import overopt_views
from labeling.figures import report as figures
from labeling.figures.forms import choice_of
from labeling.judging.results import results
from labeling.judging.source import Source, of_judgement, of_round
from labeling.models import Prompt, Role, User
from labeling.prompts.forms import PromptFilter
from labeling.prompts.intake import take_in
from labeling.prompts.views import filtered
from labeling.reward_models import report as reward_models
from labeling.reward_models import scored
from labeling.rounds import timeline
from labeling.rounds.progress import loop_of
from training.models import Run
from training.runs.curve_views import metrics_from

MAX_ROWS = 50_000


class IsResearcher(BasePermission):
    """Everybody else is told that there is nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if Role.RESEARCHER not in cast(User, request.user).roles:
            raise Http404
        return True


class IsOffice(BasePermission):
    """Researchers and admins; everybody else is told that there is nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if cast(User, request.user).roles.isdisjoint({Role.RESEARCHER, Role.ADMIN}):
            raise Http404
        return True


class ResearcherView(APIView):
    permission_classes = [IsAuthenticated, IsResearcher]


class PromptSerializer(ModelSerializer[Prompt]):
    class Meta:
        model = Prompt
        fields = [
            "id", "text", "turns", "topics", "use_case", "split", "owner", "source", "held_because", "created_at",
        ]  # fmt: skip


class RunSerializer(ModelSerializer[Run]):
    class Meta:
        model = Run
        fields = [
            "id", "recipe", "name", "spec", "seed", "state", "phase", "step", "total", "unit", "eta_seconds", "error",
            "result", "warnings", "attempts", "created_at", "started_at", "finished_at",
        ]  # fmt: skip


class PromptsView(ResearcherView):
    """GET: the prompts, filtered as on the page. POST: `{"rows": [{"prompt": …}, …], "source": …}` takes them in."""

    def get(self, request: Request) -> Response:
        pages = LimitOffsetPagination()
        pages.default_limit, pages.max_limit = 100, 1000
        prompts = pages.paginate_queryset(filtered(PromptFilter(request.query_params)), request, view=self)
        return pages.get_paginated_response(PromptSerializer(prompts, many=True).data)

    def post(self, request: Request) -> Response:
        rows, source, owner_key = _import_of(request.data)
        intake = take_in(rows, source=source, owner_key=owner_key)
        refused = [{"row": refusal.line, "error": refusal.sentence} for refusal in intake.refused]
        return Response({"added": intake.added, "duplicates": intake.duplicates, "refused": refused})


def _import_of(data: Any) -> tuple[list[dict[str, Any]], str, str]:
    if not isinstance(data, dict) or not isinstance(data.get("rows"), list):
        raise BadInput('Send a JSON object with a list: {"rows": [{"prompt": "…"}], "source": "…"}.')
    rows = data["rows"]
    if len(rows) > MAX_ROWS:
        raise BadInput(f"{len(rows):,} rows at once are too many; send at most {MAX_ROWS:,}.")
    if wrong := next((index for index, row in enumerate(rows, start=1) if not isinstance(row, dict)), None):
        raise BadInput(f"Row {wrong} is not a JSON object.")
    source, owner_key = data.get("source", "api"), data.get("owner_key", "owner")
    if not isinstance(source, str) or not source.strip() or len(source) > 50:
        raise BadInput("The source is a text of 1 to 50 characters.")
    if not isinstance(owner_key, str):
        raise BadInput("The owner_key is the name of a field.")
    return rows, source.strip(), owner_key


class RoundView(ResearcherView):
    def get(self, request: Request, round_id: int) -> Response:
        round_ = access.round_for_research(round_id)
        stages = [
            {
                "name": step.stage.name,
                "state": step.stage.state,
                "done": step.done,
                "total": step.total,
                "unit": step.unit,
                "eta_seconds": step.eta_seconds,
                "seconds": step.seconds,
                "note": step.stage.note,
                "result": step.stage.result,
                "run": step.stage.run_id,
                "batch": step.stage.batch_id,
            }
            for step in loop_of(round_)
        ]
        fields = {name: getattr(round_, name) for name in ("id", "name", "state", "seed", "settings", "created_at")}
        events = timeline.as_json(round_)
        return Response({**fields, "finished_at": round_.finished_at, "stages": stages, "events": events})


class JudgementView(ResearcherView):
    """A judgement's course and, where they may be seen, its results; `?against=` names the policy compared with."""

    def get(self, request: Request, judgement_id: int) -> Response:
        judgement = access.judgement_for_research(judgement_id)
        fields = ("id", "name", "state", "note", "split", "use_case", "source", "judges", "cohort", "seed", "spec")
        found = {name: getattr(judgement, name) for name in (*fields, "shown_from", "extended", "created_at")}
        return Response({**found, **_results(request, of_judgement(judgement))})


class RoundJudgementView(ResearcherView):
    def get(self, request: Request, round_id: int) -> Response:
        return Response(_results(request, of_round(access.round_for_research(round_id))))


def _results(request: Request, source: Source) -> dict[str, Any]:
    """With `results` null where they may not be seen yet, and `hidden` saying why."""
    found = None if source.hidden else results(source, request.query_params.get("against", ""))
    progress = {"done": source.done, "wanted": source.wanted, "batch": source.batch and source.batch.pk}
    return {"policies": list(source.policies.values()), **progress, "hidden": source.hidden, "results": found}


class AgreementView(APIView):
    """All figures of the agreement page, filtered as there."""

    permission_classes = [IsAuthenticated, IsOffice]

    def get(self, request: Request) -> Response:
        return Response(report.of(filters_of(request.query_params)))


class OfficeView(APIView):
    permission_classes = [IsAuthenticated, IsOffice]


class ScorecardsView(OfficeView):
    """Everybody who has ranked or passed on anything."""

    def get(self, request: Request) -> Response:
        return Response(of_everybody(cards.of_all()))


class ScorecardView(OfficeView):
    def get(self, request: Request, pseudonym: str) -> Response:
        labeler = access.labeler_for_office(pseudonym)
        return Response(of_labeler(cards.of_all(), labeler, consensus_report.look()))


class FindingsView(OfficeView):
    """Where labelers come apart by groups; of each part the clearest items."""

    def get(self, request: Request) -> Response:
        found = findings.of(Filters())
        lines = [{**line._asdict(), "is_found": line.is_found} for line in found.lines]
        return Response({"version": found.version, "parts": lines})


class AdjudicationsView(OfficeView):
    """The decisions that hold."""

    def get(self, request: Request) -> Response:
        return Response(decisions())


class FiguresView(ResearcherView):
    """The figures of the page, asked as there."""

    def get(self, request: Request) -> Response:
        return Response(figures.of(choice_of(request.query_params.dict())))


class RewardModelView(ResearcherView):
    def get(self, request: Request, checkpoint_id: int) -> Response:
        checkpoint = access.reward_model_for_research(checkpoint_id)
        return Response(reward_models.of(checkpoint, scored.read(checkpoint)))


class OveroptimizationView(ResearcherView):
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(overopt_views.report_of(overopt_views.ppo_run(run_id)))


class RunView(ResearcherView):
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(RunSerializer(get_object_or_404(Run, pk=run_id)).data)


class RunMetricsView(ResearcherView):
    """The rows of metrics.jsonl from byte `from` on."""

    def get(self, request: Request, run_id: UUID) -> Response:
        offset = request.query_params.get("from", "0")
        if not offset.isdecimal() or len(offset) > 15:
            raise BadInput("“from” is a byte offset: a whole number.")
        return Response(metrics_from(get_object_or_404(Run, pk=run_id), int(offset)))
