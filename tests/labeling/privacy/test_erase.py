"""Asking for erasure, carrying it out, and what is left."""

import json
from threading import Event
from threading import Thread as OsThread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from labeling.agreement import report
from labeling.agreement.rows import Filters
from labeling.demonstrations import submit as demonstrations
from labeling.errors import BadInput, Conflict, NotAllowed
from labeling.exports import freeze, whose
from labeling.labelers import invite
from labeling.labelers.enroll import give_role
from labeling.models import (
    ActiveSpan,
    Assignment,
    Choice,
    Demonstration,
    Erasure,
    Invitation,
    Kind,
    Labeler,
    LabelerRows,
    Post,
    Proposal,
    Ranking,
    Rate,
    Role,
    User,
    WorkItem,
)
from labeling.pay import timesheet
from labeling.privacy import wish
from labeling.privacy.erase import ERASED, carry_out
from labeling.privacy.export import archive
from labeling.proposals.decide import take
from labeling.queue import dispatch
from labeling.threads import talk
from tests.labeling.privacy.conftest import EMAIL, NAME, SECRET, Wanda, claimed
from tests.labeling.privacy.test_export import opened
from tests.people import PASSWORD, make_labeler
from tests.work import writing_work
from training import storage
from training.models import Dataset

pytestmark = pytest.mark.django_db

TOPICS = '"unwanted_topics": ["illness"]'


def erased(wanda: Wanda, admin: User, choice: str = Choice.KEEP) -> Erasure:
    return carry_out(wanda.labeler, admin, choice=choice, why="Asked by letter.", typed=wanda.labeler.pseudonym)


def everything() -> str:
    """All text that the database holds of the tables of both apps, accounts and the admin's notes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


# ── The wish ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_labeler_asks_and_takes_it_back(wanda: Wanda, admin_user: User, client: Client) -> None:
    client.force_login(admin_user)
    assert "To be erased" not in client.get(reverse("labeler-list")).content.decode()
    wanda.client.post(reverse("erasure-ask"), {"wish": "withdraw"})
    assert wanda.labeler.pseudonym in client.get(reverse("labeler-list")).content.decode().split("To be erased")[1]
    assert "You asked on" in wanda.client.get(reverse("my-data")).content.decode()
    assert wanda.client.post(reverse("erasure-ask"), {"wish": "keep"}).status_code == 409
    wanda.client.post(reverse("erasure-take-back"))
    assert wish.of(wanda.labeler) is None
    assert wanda.client.post(reverse("erasure-take-back")).status_code == 409
    assert wanda.client.post(reverse("erasure-ask"), {"wish": "burn"}).status_code == 422
    assert User.objects.filter(email=EMAIL).exists()


def test_it_takes_the_pseudonym_a_reason_and_a_choice(wanda: Wanda, admin_user: User) -> None:
    good = {"choice": "keep", "why": "Asked.", "typed": wanda.labeler.pseudonym}
    for bad in ({"typed": "labeler-other"}, {"typed": ""}, {"why": " "}, {"why": "x" * 501}, {"choice": "burn"}):
        with pytest.raises(BadInput):
            carry_out(wanda.labeler, admin_user, **{**good, **bad})
    assert User.objects.filter(email=EMAIL).exists()
    assert not Erasure.objects.exists()


def test_an_account_of_the_office_is_not_erased(wanda: Wanda, admin_user: User) -> None:
    give_role(wanda.labeler.user, Role.RESEARCHER)
    with pytest.raises(Conflict, match="other roles"):
        erased(wanda, admin_user)
    assert User.objects.filter(email=EMAIL).exists()


# ── What is left ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_names_them_is_left_in_the_database(wanda: Wanda, admin_user: User) -> None:
    user_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=admin_user,
        content_type=user_type,
        object_id=str(wanda.labeler.user_id),
        object_repr=NAME,
        action_flag=CHANGE,
    )
    before = everything()
    assert all(trace in before for trace in (EMAIL, NAME, SECRET, TOPICS))
    assert Session.objects.count() == 1
    erased(wanda, admin_user)
    after = everything()
    for trace in (EMAIL, "wanda", "Wanda", NAME, SECRET, TOPICS):
        assert trace not in after, trace
    assert not Session.objects.exists()
    assert not EmailAddress.objects.filter(user=wanda.labeler.user).exists()


def test_labels_and_pay_records_stay_under_the_pseudonym(wanda: Wanda, admin_user: User) -> None:
    period = timesheet.this_month()
    paid = timesheet.rows(period, wanda.labeler)
    erased(wanda, admin_user)
    demonstration, ranking = Demonstration.objects.get(), Ranking.objects.get()
    assert (demonstration.text, demonstration.earlier) == ("Eleven.", [])
    assert (ranking.rationale, sorted(ranking.places.values_list("place", flat=True))) == ("", [1, 2, 3, 4])
    assert Proposal.objects.get().text == "Name a river."
    assert timesheet.rows(period, wanda.labeler) == paid
    assert (ActiveSpan.objects.count(), Rate.objects.count()) == (1, 1)
    assert set(Post.objects.values_list("text", flat=True)) == {ERASED, "Of course."}
    labeler = Labeler.objects.get(pk=wanda.labeler.pk)
    assert (labeler.state, labeler.hourly_rate, labeler.unwanted_topics) == ("left", None, [])
    assert labeler.pseudonym == wanda.labeler.pseudonym


def test_the_record_says_who_when_and_why(wanda: Wanda, admin_user: User) -> None:
    asked = wish.ask(wanda.labeler, wanda.labeler.user, Choice.WITHDRAW)
    done = erased(wanda, admin_user, Choice.KEEP)
    assert done == asked
    assert (done.wish, done.choice, done.why, done.done_by) == ("withdraw", "keep", "Asked by letter.", admin_user)
    assert done.done_at is not None
    with pytest.raises(Conflict, match="was erased on"):
        erased(wanda, admin_user)
    with pytest.raises(Conflict):
        wish.take_back(wanda.labeler)


def test_what_they_held_goes_back_to_the_line(wanda: Wanda, admin_user: User) -> None:
    held = Assignment.objects.get(labeler=wanda.labeler, state=Assignment.State.LEASED)
    assert held.item.taken == 1
    erased(wanda, admin_user)
    held.refresh_from_db()
    assert held.state == Assignment.State.SKIPPED
    item = WorkItem.objects.get(pk=held.item_id)
    assert (item.taken, item.is_open) == (0, True)


# ── The account ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_logs_in_again(wanda: Wanda, admin_user: User, client: Client) -> None:
    assert wanda.client.get(reverse("my-data")).status_code == 200
    erased(wanda, admin_user)
    assert wanda.client.get(reverse("my-data")).headers["Location"].startswith("/accounts/login/")
    nobody = User.objects.get(pk=wanda.labeler.user_id)
    for email in (EMAIL, nobody.email):
        client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
        assert "_auth_user_id" not in client.session
        client.post(reverse("account_reset_password"), {"email": email})
    assert not any(EMAIL in message.to and "password/reset/key" in message.body for message in mail.outbox)
    assert not nobody.has_usable_password()


def test_the_address_is_free_for_a_new_invitation_and_the_pseudonym_is_not(
    wanda: Wanda, admin_user: User, client: Client
) -> None:
    erased(wanda, admin_user)
    invitation = invite.invite(admin_user, EMAIL, Role.LABELER, "training")
    client.get(reverse("labeler-invitation", args=[invitation.token]))
    form = {"email": EMAIL, "name": NAME, "password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("account_signup"), form)
    again = Labeler.objects.get(user__email=EMAIL)
    assert again.pk != wanda.labeler.pk
    assert again.pseudonym != wanda.labeler.pseudonym
    with pytest.raises(Exception, match="pseudonym"), transaction.atomic():
        Labeler.objects.filter(pk=again.pk).update(pseudonym=wanda.labeler.pseudonym)


def test_the_old_link_is_dead(wanda: Wanda, admin_user: User, client: Client) -> None:
    token = Invitation.objects.get().token
    erased(wanda, admin_user)
    assert client.get(reverse("labeler-invitation", args=[token])).status_code == 404


def test_what_comes_a_moment_later_is_refused(wanda: Wanda, admin_user: User, researcher: User) -> None:
    """Requests that had begun before: their labeler is an object in memory that knows of nothing."""
    held = Assignment.objects.get(labeler=wanda.labeler, state=Assignment.State.LEASED)
    thread = wanda.labeler.threads.get()
    erased(wanda, admin_user)
    with pytest.raises(Conflict):
        demonstrations.submit(wanda.labeler, held.pk, "Too late.")
    for late in (
        lambda: talk.ask(wanda.labeler, "Too late?"),
        lambda: talk.reply(wanda.labeler.user, thread, "Too late."),
    ):
        with pytest.raises(NotAllowed):
            late()
    assert Demonstration.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_submit_at_the_same_moment_comes_first_or_not_at_all(wanda: Wanda, admin_user: User) -> None:
    """The submit has taken its row and not committed when the erasure begins: the erasure waits and then knows it."""
    held = Assignment.objects.get(labeler=wanda.labeler, state=Assignment.State.LEASED)
    submitted, may_commit, outcome = Event(), Event(), list[Any]()

    def submit() -> None:
        try:
            with transaction.atomic():
                demonstrations.submit(wanda.labeler, held.pk, "Just in time.")
                submitted.set()
                assert may_commit.wait(10)
        finally:
            connection.close()

    def erase() -> None:
        try:
            outcome.append(erased(wanda, admin_user, Choice.WITHDRAW))
        except Exception as error:
            outcome.append(error)
        finally:
            connection.close()

    threads = [OsThread(target=submit), OsThread(target=erase)]
    threads[0].start()
    assert submitted.wait(10)
    threads[1].start()
    threads[1].join(0.5)
    assert threads[1].is_alive(), "the erasure must wait for the submit"
    may_commit.set()
    for thread in threads:
        thread.join(20)
    assert isinstance(outcome[0], Erasure), outcome
    held.refresh_from_db()
    assert held.state == Assignment.State.DONE
    assert Demonstration.objects.filter(labeler=wanda.labeler).count() == 2
    with pytest.raises(BadInput, match="no demonstrations"):
        freeze.freeze_demonstrations(Demonstration.objects.all())


# ── Datasets and figures ────────────────────────────────────────────────────────────────────────────────────────────


def with_another(wanda: Wanda) -> Labeler:
    """A second labeler's answer beside Wanda's."""
    other = make_labeler("olga")
    writing_work(1, start=50)
    demonstrations.submit(other, claimed(other, Kind.DEMONSTRATE).pk, "Fifty-one.")
    return other


def labelers_in(dataset: Dataset) -> set[str]:
    lines = storage.absolute(dataset.path).read_text().splitlines()
    return {json.loads(line)["labeler"] for line in lines}


def test_labels_that_stay_go_into_datasets_under_the_pseudonym(wanda: Wanda, admin_user: User) -> None:
    other = with_another(wanda)
    erased(wanda, admin_user, Choice.KEEP)
    dataset = freeze.freeze_demonstrations(Demonstration.objects.all())
    assert labelers_in(dataset) == {wanda.labeler.pseudonym, other.pseudonym}
    assert whose.withdrawn_rows([dataset]) == {}


def test_withdrawn_labels_stay_out_and_frozen_datasets_say_so(
    wanda: Wanda, admin_user: User, researcher: User, client: Client
) -> None:
    other = with_another(wanda)
    before = freeze.freeze_demonstrations(Demonstration.objects.all())
    content = storage.absolute(before.path).read_bytes()
    erased(wanda, admin_user, Choice.WITHDRAW)
    after = freeze.freeze_demonstrations(Demonstration.objects.all())
    assert labelers_in(after) == {other.pseudonym}
    assert storage.absolute(before.path).read_bytes() == content
    with pytest.raises(BadInput, match="no rankings"):
        freeze.freeze_rankings(Ranking.objects.all())
    assert whose.withdrawn_rows([before, after]) == {before.pk: 1}
    client.force_login(researcher)
    assert client.get(reverse("dataset-list")).content.decode().count("1 of withdrawn labelers") == 1
    client.force_login(admin_user)
    page = client.get(reverse("labeler-data", args=[wanda.labeler.pseudonym])).content.decode()
    assert f"1 row of demonstrations <code>{before.sha256[:12]}" in page


def test_prompts_that_they_wrote_are_withdrawn_too(wanda: Wanda, admin_user: User, researcher: User) -> None:
    prompts = take(Proposal.objects.get(), researcher, use_case="open_qa", split="train")
    frozen = freeze.freeze_prompts(type(prompts[0]).objects.all())
    erased(wanda, admin_user, Choice.WITHDRAW)
    assert freeze.freeze_prompts(type(prompts[0]).objects.all()).rows == frozen.rows - 1


def test_a_dataset_from_before_rows_were_counted_is_counted_then(wanda: Wanda, admin_user: User) -> None:
    dataset = freeze.freeze_demonstrations(Demonstration.objects.all())
    LabelerRows.objects.all().delete()
    erased(wanda, admin_user, Choice.WITHDRAW)
    assert whose.withdrawn_rows([dataset]) == {dataset.pk: 1}


def test_agreement_still_works(wanda: Wanda, admin_user: User, client: Client) -> None:
    erased(wanda, admin_user, Choice.WITHDRAW)
    client.force_login(admin_user)
    for name in ("agreement", "agreement-items", "labeler-list", "timesheet"):
        assert client.get(reverse(name)).status_code == 200
    assert report.of(Filters())["version"]


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_admin_erases_on_the_page(wanda: Wanda, admin_user: User, client: Client) -> None:
    client.force_login(admin_user)
    address, act = (reverse(name, args=[wanda.labeler.pseudonym]) for name in ("labeler-data", "labeler-erase"))
    assert "This cannot be undone" in client.get(address).content.decode()
    wrong = client.post(act, {"choice": "keep", "why": "Asked.", "typed": "yes"})
    assert wrong.status_code == 422
    assert "Nothing was erased" in wrong.content.decode()
    assert client.post(act, {}).status_code == 422
    right = {"choice": "withdraw", "why": "Asked by letter.", "typed": wanda.labeler.pseudonym}
    page = client.post(act, right, follow=True).content.decode()
    assert "Asked by letter." in page
    assert client.post(act, right).status_code == 409
    assert EMAIL not in "".join(opened(archive(wanda.labeler)).values())


def test_who_may_erase(wanda: Wanda, labeler: Labeler, researcher: User, client: Client) -> None:
    act = reverse("labeler-erase", args=[wanda.labeler.pseudonym])
    right = {"choice": "keep", "why": "Asked.", "typed": wanda.labeler.pseudonym}
    assert client.post(act, right).headers["Location"].startswith("/accounts/login/")
    for user in (labeler.user, researcher, wanda.labeler.user):
        client.force_login(user)
        assert client.post(act, right).status_code == 404
        assert client.get(reverse("labeler-data", args=[wanda.labeler.pseudonym])).status_code == 404
    assert client.get(act).status_code == 404
    assert User.objects.filter(email=EMAIL).exists()
    assert dispatch.why_not(wanda.labeler) == ""
