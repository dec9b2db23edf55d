"""Invitations: the only way in, once each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from labeling.errors import BadInput, Conflict, NotFound
from labeling.labelers.invite import accept, find, invite, revoke
from labeling.models import Cohort, Invitation, Labeler, Role, User
from tests.labeling.queue.test_races import all_at_once
from tests.people import make_user

pytestmark = pytest.mark.django_db


def test_a_labeler_is_invited_and_accepts(admin_user: User) -> None:
    invitation = invite(admin_user, "new@example.org", Role.LABELER, Cohort.HELD_OUT)
    user = make_user("new")
    accept(invitation.token, user)
    assert user.roles == {Role.LABELER}
    assert (user.labeler.cohort, user.labeler.state) == (Cohort.HELD_OUT, Labeler.State.ACTIVE)
    assert user.labeler.pseudonym.startswith("labeler-")
    assert "new" not in user.labeler.pseudonym
    invitation.refresh_from_db()
    assert invitation.accepted_by == user
    assert not invitation.is_open


def test_a_researcher_is_no_labeler(admin_user: User) -> None:
    user = make_user("new")
    accept(invite(admin_user, "new2@example.org", Role.RESEARCHER).token, user)
    assert user.roles == {Role.RESEARCHER}
    assert not Labeler.objects.exists()


@pytest.mark.parametrize("end", ["used", "revoked", "too old", "unknown"])
def test_a_link_that_is_not_open_gives_nothing(admin_user: User, stranger: User, end: str) -> None:
    invitation = invite(admin_user, "new@example.org", Role.ADMIN)
    token = invitation.token
    match end:
        case "used":
            accept(token, make_user("first"))
        case "revoked":
            revoke(invitation)
        case "too old":
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "unknown":
            token = "x" * 43
    for door in (lambda: find(token), lambda: accept(token, stranger)):
        with pytest.raises(NotFound, match="not open any more"):
            door()
    assert stranger.roles == frozenset()


def test_a_new_invitation_ends_the_earlier_one(admin_user: User) -> None:
    first = invite(admin_user, "new@example.org", Role.LABELER, Cohort.TRAINING)
    second = invite(admin_user, "New@example.org", Role.LABELER, Cohort.TRAINING)
    with pytest.raises(NotFound):
        find(first.token)
    assert find(second.token) == second


def test_a_used_invitation_cannot_be_revoked(admin_user: User) -> None:
    invitation = invite(admin_user, "new@example.org", Role.RESEARCHER)
    accept(invitation.token, make_user("new"))
    with pytest.raises(Conflict, match="accepted"):
        revoke(invitation)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (("nonsense", Role.ADMIN), BadInput),
        (("a@example.org", "owner"), BadInput),
        (("a@example.org", Role.LABELER), BadInput),
        (("a@example.org", Role.LABELER, "both"), BadInput),
        (("", Role.ADMIN), BadInput),
        (("ADA@example.org", Role.RESEARCHER), Conflict),
    ],
)
def test_nonsense_is_refused(admin_user: User, fields: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        invite(admin_user, *fields)
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("days", [0, -1, 91])
def test_days_are_1_to_90(admin_user: User, days: int) -> None:
    with pytest.raises(BadInput, match="1 to 90 days"):
        invite(admin_user, "a@example.org", Role.RESEARCHER, days=days)
    assert Invitation.objects.count() == 0


def test_who_is_to_be_screened_begins_there(admin_user: User) -> None:
    user = make_user("new")
    accept(invite(admin_user, "new2@example.org", Role.LABELER, Cohort.HELD_OUT, screened=True).token, user)
    assert (user.labeler.state, user.labeler.cohort) == (Labeler.State.SCREENING, Cohort.HELD_OUT)
    assert "Ada" in user.labeler.changes.get().why


def test_a_labeler_cannot_become_one_again(admin_user: User, labeler: Labeler) -> None:
    invitation = invite(admin_user, "other@example.org", Role.LABELER, Cohort.HELD_OUT)
    with pytest.raises(Conflict, match="already"):
        accept(invitation.token, labeler.user)
    assert find(invitation.token) == invitation
    labeler.refresh_from_db()
    assert labeler.cohort == Cohort.TRAINING


@pytest.mark.django_db(transaction=True)
def test_a_link_works_once_however_fast(admin_user: User) -> None:
    token = invite(admin_user, "new@example.org", Role.LABELER, Cohort.TRAINING).token
    users = [make_user(f"user{number}") for number in range(5)]
    works: list[Callable[[], Any]] = [lambda user=user: accept(token, user) for user in users]
    results = all_at_once(works)
    assert sum(isinstance(result, Invitation) for result in results) == 1
    assert sum(isinstance(result, NotFound) for result in results) == 4
    assert Labeler.objects.count() == 1
