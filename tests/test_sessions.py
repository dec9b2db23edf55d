"""Sessions as people meet them: they last until they are logged out or expire."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from config.sessions import SessionStore
from labeling.models import Labeler

pytestmark = pytest.mark.django_db


def test_a_session_lasts_until_it_is_logged_out(client: Client, labeler: Labeler) -> None:
    client.force_login(labeler.user)
    stolen = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    client.cookies[settings.SESSION_COOKIE_NAME] = stolen
    assert client.get("/").headers["Location"] == "/accounts/login/"


def test_an_expired_session_is_none(client: Client, labeler: Labeler) -> None:
    client.force_login(labeler.user)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("key", ["", "unknown", "a\0b", "x" * 5000, "' OR 1=1 --"])
def test_a_key_that_is_none_is_an_empty_session(key: str) -> None:
    store = SessionStore(key)
    assert dict(store.items()) == {}
    assert store.session_key is None


def test_what_is_stored_comes_back() -> None:
    store = SessionStore()
    store["words"] = "第三"
    store.save()
    assert SessionStore(store.session_key)["words"] == "第三"
