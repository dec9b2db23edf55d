"""A labeler who has left a trace everywhere."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.demonstrations import submit as demonstrations
from labeling.exports import exclude
from labeling.guidelines.acknowledge import acknowledge_all
from labeling.guidelines.publish import ensure_first
from labeling.labelers import invite, standing
from labeling.labelers.rates import set_rate
from labeling.models import (
    ActiveSpan,
    Assignment,
    Demonstration,
    Kind,
    Labeler,
    Ranking,
    Role,
    ScreeningSet,
    Sitting,
    User,
)
from labeling.proposals import submit as proposals
from labeling.queue import dispatch, drafts
from labeling.rankings import submit as rankings
from labeling.rankings.remarks import Remarks
from labeling.surveys import hold
from labeling.threads import talk
from tests.people import PASSWORD
from tests.work import proposing_work, ranking_work, writing_work

EMAIL, NAME = "wanda.w@example.org", "Wanda Wunder"
SECRET = "my knee hurts"  # said in every free text that is not the label itself


@dataclass
class Wanda:
    labeler: Labeler
    client: Client
    demonstration: Demonstration
    ranking: Ranking


def claimed(labeler: Labeler, kind: Kind) -> Assignment:
    assignment = dispatch.claim(labeler, kind)
    assert assignment is not None
    return assignment


def screened(labeler: Labeler, researcher: User) -> None:
    asked = ScreeningSet.objects.create(name="Autumn", created_by=researcher)
    item = asked.items.create(kind="report", text="What do you know well?")
    sitting = Sitting.objects.create(screening_set=asked, labeler=labeler, label="Q")
    answer = sitting.responses.create(item=item, value={"text": f"Medicine: {SECRET}"})
    answer.grades.create(researcher=researcher, grade=6)


@pytest.fixture
def wanda(db: None, researcher: User, admin_user: User) -> Wanda:
    """Invited, signed up by the form, and at work with every kind of row."""
    cache.clear()  # so many people sign up here that allauth would slow them down
    ensure_first()
    invitation = invite.invite(admin_user, EMAIL, Role.LABELER, "training")
    client = Client()
    client.get(reverse("labeler-invitation", args=[invitation.token]))
    form = {"email": EMAIL, "name": NAME, "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(reverse("account_signup"), form).status_code == 302
    labeler = acknowledge_all(Labeler.objects.get(user__email=EMAIL))
    screened(labeler, researcher)
    standing.pause(labeler, by=admin_user, why=f"Says: {SECRET}.")
    standing.resume(labeler, by=admin_user)
    writing_work(3, need=2)
    ranking_work(1, need=2)
    proposing_work()
    set_rate(labeler, Decimal("18"), "EUR", admin_user)
    dispatch.choose_topics(labeler, [])
    Labeler.objects.filter(pk=labeler.pk).update(unwanted_topics=["illness"])
    written = claimed(labeler, Kind.DEMONSTRATE)
    demonstrations.submit(labeler, written.pk, f"First, {SECRET}.")
    demonstration = demonstrations.correct(labeler, written.pk, "Eleven.")
    ranked = claimed(labeler, Kind.RANK)
    ranking = rankings.submit(labeler, ranked.pk, {1: 1, 2: 2, 3: 3, 4: 4}, Remarks(rationale=f"Because {SECRET}"))
    proposals.submit(labeler, claimed(labeler, Kind.PROPOSE).pk, text="Name a river.", use_case="open_qa")
    held = claimed(labeler, Kind.DEMONSTRATE)
    drafts.save(labeler, held.pk, [("text", f"Draft: {SECRET}")], 0)
    now = timezone.now()
    ActiveSpan.objects.filter(labeler=labeler).delete()
    ActiveSpan.objects.create(
        labeler=labeler, assignment=written, started_at=now - timedelta(hours=2), ended_at=now - timedelta(hours=1)
    )
    thread = talk.ask(labeler, f"May I rest, {SECRET}?")
    talk.reply(researcher, thread, "Of course.")
    talk.mark_read(labeler.user, thread)
    exclude.lift(exclude.exclude(labeler, "Tried the new guideline", researcher), researcher)
    hold.dismiss(labeler, hold.open_survey(researcher, "satisfaction", "The work"))
    labeler.refresh_from_db()
    return Wanda(labeler, client, demonstration, ranking)
