"""The admin pages open, and do not let anybody write past a domain function."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from labeling import models as rows
from labeling.adjudication import taxonomy
from labeling.demonstrations import submit as demonstrations
from labeling.exports.exclude import exclude
from labeling.guidelines.acknowledge import acknowledge_all
from labeling.labelers.rates import set_rate
from labeling.models import Assignment, Kind, Labeler, Ranking, User
from labeling.privacy import wish
from labeling.prompts import topics
from labeling.proposals import submit as proposals
from labeling.quality import drift
from labeling.quality.answer import answer
from labeling.queue import dispatch, drafts
from labeling.rankings import submit as rankings
from labeling.screening import prepare
from labeling.surveys import hold
from tests.work import proposing_work, ranking_work, writing_work

PAGES = sorted(model.__name__ for model in admin.site._registry if model._meta.app_label == "labeling")


@pytest.fixture
def superuser(client: Client, labeler: Labeler) -> User:
    user = User.objects.create_superuser("root@example.org", "correct horse battery staple")
    client.force_login(user)
    writing_work()
    ranking_work()
    proposing_work()
    demonstrations.submit(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk, "Two.")
    rankings.submit(labeler, dispatch.claim(labeler, Kind.RANK).pk, {1: 1, 2: 2, 3: 3, 4: 4})
    proposals.submit(labeler, dispatch.claim(labeler, Kind.PROPOSE).pk, "Name a river.", use_case="open_qa")
    writing_work(start=7)
    drafts.save(labeler, dispatch.claim(labeler, Kind.DEMONSTRATE).pk, [("text", "Not yet sent in.")], 0)
    acknowledge_all(labeler)
    topics.known()
    thread = rows.Thread.objects.create(labeler=labeler, title="A question")
    rows.Post.objects.create(thread=thread, author=labeler.user, text="What is meant?")
    _of_people_and_quality(user, labeler)
    return user


def _of_people_and_quality(user: User, labeler: Labeler) -> None:
    taxonomy.known()
    set_rate(labeler, Decimal(20), "EUR", by=user)
    exclude(labeler, "Placed by position.", user)
    wish.ask(labeler, labeler.user, "keep")
    prepare.make(user, "Spring")
    hold.open_survey(user, "satisfaction", "How is it?")
    ranking = Ranking.objects.get()
    drift.add(user, ranking.item)
    answer(user, ranking.item, {1: 1, 2: 2, 3: 3, 4: 4}, "So it is.", "silent")
    rows.Adjudication.objects.create(item=ranking.item)
    rows.Decision.objects.create(
        item=ranking.item, revision=1, places=[[1, 1], [2, 2]], reason="The first is right.", made_by=user
    )


@pytest.mark.parametrize("name", PAGES)
def test_list_and_page_of_every_row(name: str, client: Client, superuser: User) -> None:
    model = getattr(rows, name)
    path = f"admin:labeling_{name.lower()}"
    assert client.get(reverse(f"{path}_changelist")).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert client.get(reverse(f"{path}_change", args=[row.pk])).status_code == 200


NEW = [
    "Acknowledgement", "ActiveSpan", "Adjudication", "Decision", "Draft", "DriftItem", "Erasure", "ErrorKind",
    "Exclusion", "GoldAnswer", "Proposal", "Rate", "Rubric", "ScreeningSet", "StateChange", "Survey", "Thread", "Topic",
]  # fmt: skip


@pytest.mark.parametrize("name", NEW)
def test_rows_with_a_domain_function_are_only_shown(name: str, client: Client, superuser: User) -> None:
    path = f"admin:labeling_{name.lower()}"
    row = getattr(rows, name).objects.first()
    assert row is not None, "the test looks at nothing"
    assert client.get(reverse(f"{path}_add")).status_code == 403
    assert client.post(reverse(f"{path}_change", args=[row.pk]), {}).status_code == 403
    assert client.post(reverse(f"{path}_delete", args=[row.pk])).status_code == 403


def test_a_draft_is_its_labelers_own(client: Client, superuser: User) -> None:
    draft = rows.Draft.objects.get(content__contains="Not yet sent in.")
    for url in ("changelist", "change"):
        arguments = [draft.pk] if url == "change" else []
        page = client.get(reverse(f"admin:labeling_draft_{url}", args=arguments))
        assert "Not yet sent in." not in page.content.decode()


def test_what_is_anonymous_stays_so(client: Client, superuser: User) -> None:
    """Who answered a survey, or which candidate is who, is on no admin page; nor the answers that still wait."""
    for name in ("SurveyCount", "SurveyMark", "Sitting", "Response", "Grade"):
        assert name not in PAGES
    survey = rows.Survey.objects.get()
    assert "Waiting" not in client.get(reverse("admin:labeling_survey_change", args=[survey.pk])).content.decode()


def test_queue_rows_cannot_be_changed(client: Client, superuser: User) -> None:
    assignment = Assignment.objects.filter(state=Assignment.State.DONE).first()
    url = reverse("admin:labeling_assignment_change", args=[assignment.pk])
    assert client.post(url, {"state": 2}).status_code == 403
    assert client.post(reverse("admin:labeling_assignment_delete", args=[assignment.pk])).status_code == 403
    assignment.refresh_from_db()
    assert assignment.state == Assignment.State.DONE


def test_a_labeler_is_not_changed_past_the_history(client: Client, superuser: User, labeler: Labeler) -> None:
    url = reverse("admin:labeling_labeler_change", args=[labeler.pk])
    assert client.post(url, {"state": "paused", "cohort": "held_out"}).status_code == 403
    labeler.refresh_from_db()
    assert (labeler.state, labeler.cohort) == ("active", "training")


def test_an_invitation_does_not_show_its_link(client: Client, superuser: User) -> None:
    invitation = rows.Invitation.objects.create(email="x@example.org", role="admin", created_by=superuser)
    page = client.get(reverse("admin:labeling_invitation_change", args=[invitation.pk]))
    assert invitation.token not in page.content.decode()
