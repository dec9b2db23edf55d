"""Signing up by invitation, and the admin's list of labelers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.labelers import invite
from labeling.labelers.accounts import OneLook
from labeling.models import Cohort, Invitation, Labeler, Role, User
from tests.people import PASSWORD

SIGNUP = {"email": "nina@example.org", "name": "Nina", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def invitation(admin_user: User) -> Invitation:
    return invite.invite(admin_user, "nina@example.org", Role.LABELER, Cohort.HELD_OUT)


def link(invitation: Invitation) -> str:
    return reverse("labeler-invitation", args=[invitation.token])


# ── Signing up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_makes_a_labeler_of_its_cohort(client: Client, invitation: Invitation) -> None:
    form = client.get(link(invitation), follow=True)
    assert 'value="nina@example.org"' in form.content.decode()
    answer = client.post(reverse("account_signup"), SIGNUP, follow=True)
    labeler = Labeler.objects.get(user__email="nina@example.org")
    assert (labeler.cohort, labeler.user.name, labeler.user.roles) == ("held_out", "Nina", {"labeler"})
    assert "Please read this first" in answer.content.decode()
    invitation.refresh_from_db()
    assert invitation.accepted_by == labeler.user


def test_signing_up_without_an_invitation_is_closed(client: Client, db: None) -> None:
    assert "By invitation only" in client.get(reverse("account_signup")).content.decode()
    client.post(reverse("account_signup"), SIGNUP)
    assert not User.objects.exists()


def test_the_invitation_is_for_its_address(client: Client, invitation: Invitation) -> None:
    client.get(link(invitation))
    answer = client.post(reverse("account_signup"), {**SIGNUP, "email": "else@example.org"})
    assert "The invitation is for nina@example.org" in answer.content.decode()
    assert not Labeler.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accepted_at": timezone.now()}, "An account was already made with it"),
        ({"revoked_at": timezone.now()}, "It was taken back"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "It was open until"),
    ],
)
def test_a_closed_invitation_says_why(
    client: Client, invitation: Invitation, change: dict[str, object], sentence: str
) -> None:
    client.get(link(invitation))  # the session knows it from before, too
    Invitation.objects.update(**change)
    answer = client.get(link(invitation))
    assert answer.status_code == 410
    assert sentence in answer.content.decode()
    client.post(reverse("account_signup"), SIGNUP)
    assert not Labeler.objects.exists()


def test_an_unknown_invitation_is_not_there(client: Client, db: None) -> None:
    assert client.get("/invitation/no-such-token/").status_code == 404


def test_an_invitation_logs_nobody_out(client: Client, invitation: Invitation, researcher: User) -> None:
    client.force_login(researcher)
    assert client.get(link(invitation)).status_code == 409
    assert client.get("/rounds/").status_code == 200


def test_logging_in_and_out(client: Client, labeler: Labeler) -> None:
    wrong = client.post(reverse("account_login"), {"login": labeler.user.email, "password": "no"})
    assert "not correct" in wrong.content.decode()
    right = client.post(reverse("account_login"), {"login": labeler.user.email, "password": PASSWORD})
    assert right.headers["Location"] == "/"
    client.post(reverse("account_logout"))
    assert client.get("/").headers["Location"] == reverse("account_login")


def test_a_whole_office_logs_in_at_nine(client: Client, labeler: Labeler) -> None:
    """Behind one address (a shared line, a proxy) as many labelers come at once as work there."""
    cache.clear()
    for _ in range(60):
        answer = client.post(reverse("account_login"), {"login": labeler.user.email, "password": PASSWORD})
        assert answer.status_code == 302
        client.logout()


def test_guessing_passwords_ends_with_a_sentence(client: Client, db: None) -> None:
    cache.clear()
    for guess in range(11):  # at most ten wrong ones a minute from one address
        name = {"login": f"nobody-{guess}@example.org", "password": "no"}
        answer = client.post(reverse("account_login"), name)
    assert answer.status_code == 200 and "Too many failed login attempts" in answer.content.decode()
    cache.clear()


def test_too_many_requests_get_a_page(client: Client, db: None) -> None:
    cache.clear()
    for guess in range(21):  # at most twenty mails a minute
        answer = client.post(reverse("account_reset_password"), {"email": f"nobody-{guess}@example.org"})
    assert answer.status_code == 429 and "wait a minute" in answer.content.decode()
    cache.clear()


def test_a_password_is_reset_by_mail(client: Client, labeler: Labeler) -> None:
    client.post(reverse("account_reset_password"), {"email": labeler.user.email})
    found = re.search(r"http://[^/]+(\S+)", mail.outbox[0].body)
    assert found is not None
    form = client.get(found[1], follow=True)
    assert "Choose a new password" in form.content.decode()
    new = "another quiet pebble 7"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    labeler.user.refresh_from_db()
    assert labeler.user.check_password(new)


@pytest.mark.parametrize("name", ["account_login", "account_reset_password"])
def test_account_pages_for_everybody(client: Client, db: None, name: str) -> None:
    assert "<h1>" in client.get(reverse(name)).content.decode()


@pytest.mark.parametrize("name", ["account_change_password", "account_logout", "account_email"])
def test_account_pages_of_ones_own(client: Client, labeler: Labeler, name: str) -> None:
    client.force_login(labeler.user)
    assert "<h1>" in client.get(reverse(name)).content.decode()


# ── The admin's list ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ada(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def test_the_list_shows_everybody(ada: Client, labeler: Labeler, held_out_labeler: Labeler) -> None:
    page = ada.get("/labelers/").content.decode()
    for person in (labeler, held_out_labeler):
        assert person.pseudonym in page
        assert person.user.name in page


def test_inviting_shows_the_link(ada: Client, db: None) -> None:
    data = {"email": "new@example.org", "role": Role.LABELER.value, "cohort": Cohort.TRAINING.value}
    page = ada.post(reverse("invitation-create"), data, follow=True).content.decode()
    assert f"http://testserver{link(Invitation.objects.get())}" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"email": "nonsense"}, "valid email address"),
        ({"cohort": ""}, "A labeler needs a cohort"),
        ({"role": "king"}, "not one of the available choices"),
        ({"email": "ada@example.org"}, "There is an account for ada@example.org already"),
    ],
)
def test_a_bad_invitation_is_refused(ada: Client, change: dict[str, str], sentence: str) -> None:
    data = {"email": "new@example.org", "role": "labeler", "cohort": "training", **change}
    answer = ada.post(reverse("invitation-create"), data)
    assert answer.status_code in {409, 422}
    assert sentence in answer.content.decode()
    assert not Invitation.objects.exists()


def test_revoking_closes_the_link(ada: Client, invitation: Invitation) -> None:
    ada.post(reverse("invitation-revoke", args=[invitation.pk]))
    assert Client().get(link(invitation)).status_code == 410


@pytest.mark.parametrize(
    ("role", "cohort", "said", "screened"),
    [
        ("labeler", "training", "", True),  # as the paper did it
        ("labeler", "held_out", "", False),
        ("labeler", "training", "no", False),
        ("labeler", "held_out", "yes", True),
        ("researcher", "", "yes", False),
    ],
)
def test_who_is_screened_follows_the_cohort_unless_said(
    ada: Client, role: str, cohort: str, said: str, screened: bool
) -> None:
    ada.post(
        reverse("invitation-create"), {"email": "new@example.org", "role": role, "cohort": cohort, "screened": said}
    )
    assert Invitation.objects.get().screened is screened


@pytest.mark.parametrize(("days", "left"), [("", 14), ("1", 1), ("90", 90)])
def test_an_invitation_is_open_for_its_days(ada: Client, days: str, left: int) -> None:
    data = {"email": "new@example.org", "role": "labeler", "cohort": "training", "days": days}
    ada.post(reverse("invitation-create"), data)
    open_for = Invitation.objects.get().expires_at - timezone.now()
    assert timedelta(days=left, minutes=-1) < open_for <= timedelta(days=left)


@pytest.mark.parametrize("days", ["0", "91", "-1", "two", "1.5"])
def test_days_out_of_range_are_refused(ada: Client, days: str) -> None:
    data = {"email": "new@example.org", "role": "labeler", "cohort": "training", "days": days}
    assert ada.post(reverse("invitation-create"), data).status_code == 422
    assert not Invitation.objects.exists()


def test_the_list_says_what_became_of_invitations(ada: Client, admin_user: User, labeler: Labeler) -> None:
    now = timezone.now()
    for name, fields in {
        "used": {"accepted_at": now, "accepted_by": labeler.user},
        "revoked": {"revoked_at": now},
        "expired": {"expires_at": now - timedelta(days=1)},
        "open": {},
    }.items():
        made = invite.invite(admin_user, f"{name}@example.org", Role.LABELER, Cohort.TRAINING)
        Invitation.objects.filter(pk=made.pk).update(**fields)
    assert {row.email.split("@")[0]: row.state for row in Invitation.objects.all()} == {
        name: name for name in ("used", "revoked", "expired", "open")
    }
    page = ada.get("/labelers/").content.decode()
    assert page.count("Link to send") == 1
    for name in ("used", "revoked", "expired", "open"):
        assert f"{name}@example.org" in page


def test_pause_and_resume(ada: Client, labeler: Labeler) -> None:
    pause = reverse("labeler-pause", args=[labeler.pseudonym])
    said = {"why": "On holiday.", "seen": "active"}
    without_reason = ada.post(pause, {"why": "", "seen": "active"})
    assert (without_reason.status_code, "Please give a reason" in without_reason.content.decode()) == (422, True)
    page = ada.post(pause, said, follow=True).content.decode()
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.PAUSED
    assert "On holiday." in page
    second_click = ada.post(pause, said)
    assert (second_click.status_code, "paused by now" in second_click.content.decode()) == (409, True)
    ada.post(reverse("labeler-resume", args=[labeler.pseudonym]), {"seen": "paused"})
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.ACTIVE
    ada.post(reverse("labeler-leave", args=[labeler.pseudonym]), {"why": "Gone.", "seen": "active"})
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.LEFT


def test_the_page_of_a_labeler(ada: Client, labeler: Labeler, admin_user: User) -> None:
    page = ada.get(reverse("labeler-detail", args=[labeler.pseudonym])).content.decode()
    for shown in (labeler.pseudonym, labeler.user.email, "Training", "Pause", "Has left", "not set"):
        assert shown in page
    assert "Resume" not in page
    assert ada.get(reverse("labeler-detail", args=["labeler-nobody"])).status_code == 404


@pytest.mark.parametrize(
    ("state", "sentence"), [("paused", "Your work is paused for now"), ("left", "no work for you here any more")]
)
def test_a_labeler_is_told_kindly(client: Client, labeler: Labeler, state: str, sentence: str) -> None:
    Labeler.objects.update(state=state)
    client.force_login(labeler.user)
    page = client.get("/").content.decode()
    assert sentence in page
    assert reverse("queue-next", args=["demonstrate"]) not in page


def test_others_find_nothing(client: Client, labeler: Labeler, researcher: User, invitation: Invitation) -> None:
    doors = [
        ("post", reverse("labeler-pause", args=[labeler.pseudonym])),
        ("post", reverse("labeler-resume", args=[labeler.pseudonym])),
        ("post", reverse("labeler-leave", args=[labeler.pseudonym])),
        ("get", reverse("labeler-detail", args=[labeler.pseudonym])),
        ("post", reverse("invitation-create")),
        ("post", reverse("invitation-revoke", args=[invitation.pk])),
        ("get", "/labelers/"),
    ]
    for method, door in doors:
        client.logout()
        assert getattr(client, method)(door).headers["Location"].startswith("/accounts/login/")
        for user in (labeler.user, researcher):
            client.force_login(user)
            assert getattr(client, method)(door).status_code == 404
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.ACTIVE


def test_pausing_by_a_link_is_impossible(ada: Client, labeler: Labeler) -> None:
    assert ada.get(reverse("labeler-pause", args=[labeler.pseudonym])).status_code == 405


def test_a_request_reads_account_roles_and_labeler_in_one_query(
    labeler: Labeler, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        user = OneLook().get_user(labeler.user_id)
        assert user is not None
        assert (user.roles, user.labeler) == (frozenset({Role.LABELER}), labeler)


def test_an_account_that_was_switched_off_is_logged_out(client: Client, labeler: Labeler) -> None:
    client.force_login(labeler.user)
    assert client.get("/").status_code == 200
    User.objects.filter(pk=labeler.user_id).update(is_active=False)
    assert client.get("/").headers["Location"].startswith("/accounts/login/")
