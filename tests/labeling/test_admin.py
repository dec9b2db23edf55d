"""The admin pages open, and do not let anybody write past a domain function."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from labeling import models as rows
from labeling.demonstrations import submit as demonstrations
from labeling.models import Assignment, Kind, Labeler, User
from labeling.queue import dispatch
from labeling.rankings import submit as rankings
from tests.work import ranking_work, writing_work

PAGES = sorted(model.__name__ for model in admin.site._registry if model._meta.app_label == "labeling")


@pytest.fixture
def superuser(client: Client, labeler: Labeler) -> User:
    user = User.objects.create_superuser("root@example.org", "correct horse battery staple")
    client.force_login(user)
    writing_work()
    ranking_work()
    demonstrations.submit(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk, "Two.")
    rankings.submit(labeler, dispatch.claim(labeler, Kind.RANK).pk, {1: 1, 2: 2, 3: 3, 4: 4})
    return user


@pytest.mark.parametrize("name", PAGES)
def test_list_and_page_of_every_row(name: str, client: Client, superuser: User) -> None:
    model = getattr(rows, name)
    path = f"admin:labeling_{name.lower()}"
    assert client.get(reverse(f"{path}_changelist")).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert client.get(reverse(f"{path}_change", args=[row.pk])).status_code == 200


def test_queue_rows_cannot_be_changed(client: Client, superuser: User) -> None:
    assignment = Assignment.objects.first()
    url = reverse("admin:labeling_assignment_change", args=[assignment.pk])
    assert client.post(url, {"state": 2}).status_code == 403
    assert client.post(reverse("admin:labeling_assignment_delete", args=[assignment.pk])).status_code == 403
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.DONE


def test_a_labeler_can_be_paused_but_not_moved(client: Client, superuser: User, labeler: Labeler) -> None:
    url = reverse("admin:labeling_labeler_change", args=[labeler.pk])
    assert client.post(url, {"state": "paused", "cohort": "held_out"}).status_code == 302
    labeler.refresh_from_db()
    assert (labeler.state, labeler.cohort) == ("paused", "training")


def test_an_invitation_does_not_show_its_link(client: Client, superuser: User) -> None:
    invitation = rows.Invitation.objects.create(email="x@example.org", role="admin", created_by=superuser)
    page = client.get(reverse("admin:labeling_invitation_change", args=[invitation.pk]))
    assert invitation.token not in page.content.decode()
