"""The only place that hands out rows to requests. Who may not see a thing is told that there is nothing: 404."""

from typing import TYPE_CHECKING, TypedDict, cast
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from config.http import role_required
from config.postgres.compiled import Compiled
from labeling.errors import NotAllowed
from labeling.guidelines.acknowledge import PURPOSES
from labeling.models import (
    Assignment,
    Batch,
    Demonstration,
    GoldAnswer,
    Guideline,
    Invitation,
    Judgement,
    Kind,
    Labeler,
    Precedent,
    Proposal,
    Purpose,
    Response,
    Role,
    Round,
    RoundEvent,
    ScreeningItem,
    ScreeningSet,
    Sitting,
    Stage,
    Survey,
    Thread,
    Topic,
    Try,
    User,
    WorkItem,
)
from labeling.queue import dispatch
from labeling.threads import talk
from training.models import Checkpoint

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

labeler_only = role_required(Role.LABELER)
researcher_only = role_required(Role.RESEARCHER)
admin_only = role_required(Role.ADMIN)
office_only = role_required(Role.RESEARCHER, Role.ADMIN)


def user_of(request: HttpRequest) -> User:
    """The account behind a request that has passed one of the guards above."""
    return cast(User, request.user)


def labeler_of(request: HttpRequest) -> Labeler:
    """The labeler behind a request; 404 for an account that is none."""
    return _labeler(user_of(request))


def _labeler(user: User) -> Labeler:
    try:
        return user.labeler
    except Labeler.DoesNotExist as error:
        raise Http404 from error


def labeler_or_none(user: User) -> Labeler | None:
    """The labeler's side of an account that has one."""
    return getattr(user, "labeler", None)


def working_labeler_of(request: HttpRequest) -> Labeler:
    """The labeler, who may take work. Raises NotAllowed while paused, invited, screened or gone."""
    labeler = labeler_of(request)
    if reason := dispatch.why_not(labeler):
        raise NotAllowed(reason)
    return labeler


_with_its_page = Compiled(
    lambda assignment_id, labeler_id, kind: Assignment.objects.select_related(
        "item__prompt", "item__batch__guideline", "item__batch__rubric", "draft"
    ).filter(pk=assignment_id, labeler_id=labeler_id, item__batch__kind=kind),
    *(UUID(int=1), 2, "a kind"),
)


def assignment_of(labeler: Labeler, assignment_id: UUID, kind: str) -> Assignment:
    """This labeler's assignment with all that its page shows; anybody else's is not there."""
    assignment = _with_its_page.first(assignment_id, labeler.pk, kind)
    if assignment is None:
        raise Http404
    return assignment


def piece_of(labeler: Labeler, assignment_id: UUID) -> Assignment:
    """This labeler's assignment of whatever kind, alone."""
    return get_object_or_404(Assignment, pk=assignment_id, labeler=labeler)


def threads_for(user: User) -> QuerySet[Thread]:
    """All for researchers; a labeler's own and the announcements, an admin's announcements; 404 for others."""
    if not user.roles & {Role.RESEARCHER, Role.LABELER, Role.ADMIN}:
        raise Http404
    return talk.visible_to(user)


def thread_for(user: User, thread_id: int) -> Thread:
    threads = threads_for(user).select_related("labeler", "item__prompt", "item__batch")
    return get_object_or_404(threads, pk=thread_id)


def guideline_for(user: User, guideline_id: int) -> Guideline:
    """Researchers and admins read every version; a labeler those for the purposes they work under."""
    guideline = get_object_or_404(Guideline, pk=guideline_id)
    if not user.roles & {Role.RESEARCHER, Role.ADMIN} and guideline.purpose not in PURPOSES[_labeler(user).cohort]:
        raise Http404
    return guideline


def purpose_of(name: str) -> Purpose:
    """The purpose that an address names."""
    try:
        return Purpose(name)
    except ValueError as error:
        raise Http404 from error


def kind_of(name: str) -> Kind:
    """The kind of work that an address names."""
    try:
        return Kind(name)
    except ValueError as error:
        raise Http404 from error


class LastEvent(TypedDict):
    last_event: int | None  # of its timeline; None for a round that is older than timelines


def round_for_research(round_id: int) -> "WithAnnotations[Round, LastEvent]":
    """With its stages and their runs, without what runs have for settings and results: its page polls."""
    stages = Stage.objects.select_related("run").defer("run__spec", "run__result", "run__error")
    last = RoundEvent.objects.filter(round=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rounds = Round.objects.annotate(last_event=Subquery(last)).select_related("created_by")
    found: WithAnnotations[Round, LastEvent] = get_object_or_404(
        rounds.prefetch_related(Prefetch("stages", queryset=stages)), pk=round_id
    )
    return found


def stage_for_research(round_id: int, name: str) -> Stage:
    return get_object_or_404(Stage.objects.select_related("round", "run"), round_id=round_id, name=name)


def judgement_for_research(judgement_id: int) -> Judgement:
    return get_object_or_404(Judgement.objects.select_related("batch", "guideline", "created_by"), pk=judgement_id)


def batch_for_research(batch_id: int) -> Batch:
    return get_object_or_404(Batch.objects.with_progress().select_related("guideline"), pk=batch_id)


def proposal_for_research(proposal_id: int) -> Proposal:
    return get_object_or_404(Proposal, pk=proposal_id)


def item_for_research(item_id: int) -> WorkItem:
    return get_object_or_404(WorkItem, pk=item_id)


def gold_for_research(item_id: int) -> GoldAnswer:
    return get_object_or_404(GoldAnswer.objects.select_related("item__batch"), item_id=item_id)


def ranked_item_for_office(item_id: int) -> WorkItem:
    """An item that completions are ranked in, with what its page shows."""
    ranked = WorkItem.objects.filter(batch__kind=Kind.RANK)
    return get_object_or_404(ranked.select_related("prompt", "batch__guideline", "batch__rubric"), pk=item_id)


def demonstration_for_office(demonstration_id: int) -> Demonstration:
    return get_object_or_404(Demonstration.objects.select_related("prompt", "labeler"), pk=demonstration_id)


def checkpoint_for_research(checkpoint_id: int) -> Checkpoint:
    return get_object_or_404(Checkpoint.objects.select_related("run__stage__round", "removal__by"), pk=checkpoint_id)


def try_for_research(request: HttpRequest, try_id: UUID) -> Try:
    """A try in the playground of one's own."""
    own = Try.objects.filter(by=user_of(request)).select_related("run").prefetch_related("run__parents__checkpoint")
    return get_object_or_404(own, pk=try_id)


def topic_for_research(slug: str) -> Topic:
    return get_object_or_404(Topic, pk=slug)


def labeler_for_office(pseudonym: str) -> Labeler:
    """By the pseudonym; who it is stays with admins."""
    return get_object_or_404(Labeler, pseudonym=pseudonym)


def survey_for(labeler: Labeler, survey_id: int) -> Survey:
    """A survey that this labeler is invited to, or has been while it was open."""
    if labeler.is_simulated:
        raise Http404
    return get_object_or_404(Survey, pk=survey_id)


def survey_for_office(survey_id: int) -> Survey:
    return get_object_or_404(Survey.objects.select_related("opened_by"), pk=survey_id)


def precedent_for_research(precedent_id: int) -> Precedent:
    return get_object_or_404(Precedent.objects.select_related("guideline"), pk=precedent_id)


def reward_model_for_research(checkpoint_id: int) -> Checkpoint:
    models = Checkpoint.objects.filter(kind=Checkpoint.Kind.REWARD_MODEL).select_related("run")
    return get_object_or_404(models, pk=checkpoint_id)


def labeler_for_admin(pseudonym: str) -> Labeler:
    return get_object_or_404(Labeler.objects.select_related("user"), pseudonym=pseudonym)


def invitation_for_admin(invitation_id: int) -> Invitation:
    return get_object_or_404(Invitation, pk=invitation_id)


def invitation_by_token(token: str) -> Invitation:
    """For whoever holds the link."""
    return get_object_or_404(Invitation, token=token)


def sitting_of(request: HttpRequest) -> Sitting:
    """The candidate's own sitting; 404 for who has begun none."""
    return get_object_or_404(Sitting.objects.select_related("screening_set"), labeler=labeler_of(request))


def screening_set_for_office(set_id: int) -> ScreeningSet:
    return get_object_or_404(ScreeningSet.objects.select_related("created_by"), pk=set_id)


def screening_item_for_research(item_id: int) -> ScreeningItem:
    return get_object_or_404(ScreeningItem.objects.select_related("screening_set"), pk=item_id)


def demonstration_to_grade(user: User, response_id: UUID) -> Response:
    """A candidate's demonstration that is sent in, with nothing that says whose it is; never one's own."""
    sent_in = Response.objects.filter(item__kind=ScreeningItem.Kind.WRITE, sitting__sent_in_at__isnull=False)
    others = sent_in.exclude(sitting__labeler__user=user)
    return get_object_or_404(others.select_related("item__screening_set"), pk=response_id)


def candidate_for_admin(user: User, sitting_id: UUID) -> Sitting:
    """A candidate who has sent their answers in; nobody decides on themselves."""
    others = Sitting.objects.exclude(labeler__user=user).filter(sent_in_at__isnull=False)
    return get_object_or_404(others.select_related("labeler", "screening_set"), pk=sitting_id)
