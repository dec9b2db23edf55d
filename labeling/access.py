"""The only place that hands out rows to requests. Who may not see a thing is told that there is nothing: 404."""

from typing import cast
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from config.http import role_required
from labeling.errors import NotAllowed
from labeling.models import Assignment, Batch, Invitation, Kind, Labeler, Role, Round, Stage, User, WorkItem
from labeling.queue import dispatch

labeler_only = role_required(Role.LABELER)
researcher_only = role_required(Role.RESEARCHER)
admin_only = role_required(Role.ADMIN)


def user_of(request: HttpRequest) -> User:
    """The account behind a request that has passed one of the guards above."""
    return cast(User, request.user)


def labeler_of(request: HttpRequest) -> Labeler:
    """The labeler behind a request; 404 for an account that is none."""
    try:
        return user_of(request).labeler
    except Labeler.DoesNotExist as error:
        raise Http404 from error


def working_labeler_of(request: HttpRequest) -> Labeler:
    """The labeler, who may take work. Raises NotAllowed while paused, invited, screened or gone."""
    labeler = labeler_of(request)
    if reason := dispatch.why_not(labeler):
        raise NotAllowed(reason)
    return labeler


def assignment_of(labeler: Labeler, assignment_id: UUID, kind: str) -> Assignment:
    """This labeler's assignment with all that its page shows; anybody else's is not there."""
    return get_object_or_404(
        Assignment.objects.select_related("item__prompt", "item__batch__guideline", "draft"),
        pk=assignment_id,
        labeler=labeler,
        item__batch__kind=kind,
    )


def piece_of(labeler: Labeler, assignment_id: UUID) -> Assignment:
    """This labeler's assignment of whatever kind, alone."""
    return get_object_or_404(Assignment, pk=assignment_id, labeler=labeler)


def kind_of(name: str) -> Kind:
    """The kind of work that an address names."""
    try:
        return Kind(name)
    except ValueError as error:
        raise Http404 from error


def round_for_research(round_id: int) -> Round:
    return get_object_or_404(Round.objects.prefetch_related("stages__run", "stages__batch"), pk=round_id)


def stage_for_research(round_id: int, name: str) -> Stage:
    return get_object_or_404(Stage, round_id=round_id, name=name)


def batch_for_research(batch_id: int) -> Batch:
    return get_object_or_404(Batch.objects.with_progress().select_related("guideline"), pk=batch_id)


def item_for_research(item_id: int) -> WorkItem:
    return get_object_or_404(WorkItem, pk=item_id)


def labeler_for_admin(pseudonym: str) -> Labeler:
    return get_object_or_404(Labeler.objects.select_related("user"), pseudonym=pseudonym)


def invitation_for_admin(invitation_id: int) -> Invitation:
    return get_object_or_404(Invitation, pk=invitation_id)


def invitation_by_token(token: str) -> Invitation:
    """For whoever holds the link."""
    return get_object_or_404(Invitation, token=token)
