"""A real Chromium against a live server on the test database."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from labeling.models import User
from tests import chromium
from tests.people import PASSWORD

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package", autouse=True)
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, "There is no Chromium; `python -m tests.chromium` installs one or says how."
    # Playwright runs an event loop in this thread, and beside one Django refuses to talk to a database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def everything_is_committed(transactional_db: None) -> None:
    """The server's threads have connections of their own: they see what is committed."""


@pytest.fixture
def new_context(browser: Browser, live_server: LiveServer) -> Iterator[Any]:
    """Makes browser contexts (a person's browser each) that look for pages on the live server."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(
            base_url=live_server.url, **{"viewport": {"width": 1280, "height": 900}, **options}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # a page that is left saves its draft; better now than while tables are emptied
        context.close()
    _wait_until_the_server_rests()


def _wait_until_the_server_rests() -> None:
    """A request that is still being answered would meet the emptying of the tables: a deadlock."""
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    busy = f"SELECT count(*) FROM pg_stat_activity WHERE {others} AND state <> 'idle'"
    resting, deadline = 0, time.monotonic() + 10
    while resting < 3 and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(busy)
            resting = resting + 1 if cursor.fetchone()[0] == 0 else 0
        time.sleep(0.05)


@pytest.fixture
def page(new_context: Any) -> Iterator[Page]:
    """A page whose scripts and requests must not fail."""
    page = new_context().new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    yield page
    assert failures == []


def log_in(page: Page, user: User) -> None:
    """By the form, as a person does it."""
    page.goto(reverse("account_login"))
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
