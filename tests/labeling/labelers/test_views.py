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


def test_pause_and_resume(ada: Client, labeler: Labeler) -> None:
    ada.post(reverse("labeler-pause", args=[labeler.pseudonym]))
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.PAUSED
    second_click = ada.post(reverse("labeler-pause", args=[labeler.pseudonym]))
    assert second_click.status_code == 409
    ada.post(reverse("labeler-resume", args=[labeler.pseudonym]))
    labeler.refresh_from_db()
    assert labeler.state == Labeler.State.ACTIVE


def test_others_find_nothing(client: Client, labeler: Labeler, researcher: User, invitation: Invitation) -> None:
    doors = [
        ("post", reverse("labeler-pause", args=[labeler.pseudonym])),
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
