"""Words are not lost: not to a dead network, a killed server, a log-out, a closed tab or a second one."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from labeling.models import ActiveSpan, Assignment, Demonstration, Draft, Kind, Labeler
from labeling.queue import dispatch
from tests.browser.conftest import log_in
from tests.processes import WebServer, wait_until
from tests.work import writing_work

pytestmark = pytest.mark.browser


@pytest.fixture
def lease(labeler: Labeler) -> Assignment:
    writing_work(2)
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    return lease


@pytest.fixture
def new_browser(new_context: Any, client: Client, labeler: Labeler) -> Callable[[str], BrowserContext]:
    """Makes browsers of Lena's, logged in at an address."""

    def make(address: str) -> BrowserContext:
        client.force_login(labeler.user)
        context: BrowserContext = new_context()
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
        return context

    return make


@pytest.fixture
def context(new_browser: Callable[[str], BrowserContext], live_server: LiveServer) -> BrowserContext:
    return new_browser(live_server.url)


def open_piece(context: BrowserContext, lease: Assignment, at: str = "") -> Page:
    tab = context.new_page()
    tab.goto(f"{at}/write/{lease.pk}/")
    return tab


def area(tab: Page) -> Locator:
    return tab.locator("form[data-draft] textarea[name=text]")


def state(tab: Page) -> Locator:
    return tab.locator("#draft-state")


def stored() -> str:
    """The text of the one draft there is, empty where there is none."""
    draft = Draft.objects.first()
    return dict(json.loads(draft.content)).get("text", "") if draft else ""


def test_a_draft_is_on_the_server_within_two_seconds_and_says_so(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    area(tab).fill("Half an ans")
    wait_until(lambda: stored() == "Half an ans", 2, "the draft on the server")
    expect(state(tab)).to_have_text(re.compile(r"^Saved \d"))


def test_somebody_who_never_pauses_is_saved_too(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    area(tab).focus()
    for _ in range(12):
        tab.keyboard.type("on and ")
        tab.wait_for_timeout(200)
    assert "on and" in stored()  # 2.4 s after the first key, and never 0.8 s without one


def test_the_draft_is_there_in_another_browser(
    context: BrowserContext, new_browser: Callable[[str], BrowserContext], live_server: LiveServer, lease: Assignment
) -> None:
    tab = open_piece(context, lease)
    area(tab).fill("From the office")
    expect(state(tab)).to_contain_text("Saved")
    expect(area(open_piece(new_browser(live_server.url), lease))).to_have_value("From the office")


def test_a_tab_that_is_closed_at_once_loses_nothing(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    area(tab).fill("Gone in a blink")
    tab.close()
    expect(area(open_piece(context, lease))).to_have_value("Gone in a blink")
    wait_until(lambda: stored() == "Gone in a blink", 3, "the draft on the server")


def test_words_typed_before_the_script_came_are_kept_too(context: BrowserContext, lease: Assignment) -> None:
    tab = context.new_page()
    held: list[Route] = []
    tab.route("**/drafts*.js", lambda route: held.append(route))
    tab.goto(f"/write/{lease.pk}/", wait_until="commit")
    area(tab).fill("Quick")
    held[0].continue_()
    wait_until(lambda: stored() == "Quick", 5, "the draft on the server")


def test_words_typed_without_a_network_come_through_later(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    context.set_offline(True)
    area(tab).fill("In a tunnel")
    expect(state(tab)).to_have_text("Kept in this browser: no connection")
    tab.get_by_role("button", name="Submit").click()
    expect(state(tab)).to_have_text("Not sent: no connection. Everything is kept; try again.")
    expect(area(tab)).to_have_value("In a tunnel")
    context.set_offline(False)
    wait_until(lambda: stored() == "In a tunnel", 5, "the draft on the server")
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: str(lease.pk) not in url)
    assert Demonstration.objects.get().text == "In a tunnel"


def test_a_submit_takes_the_local_copy_away(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    area(tab).fill("Two.")
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: str(lease.pk) not in url)
    expect(area(tab)).to_have_value("")  # the next piece
    assert tab.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('podium-draft:'))") == []
    area(tab).fill("Three.")  # and drafts go on after the swap
    wait_until(lambda: Draft.objects.exclude(content="[]").exists(), 3, "the draft of the next piece")


def test_logged_out_in_another_tab(context: BrowserContext, labeler: Labeler, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    other = context.new_page()
    other.goto("/")
    other.locator("details.menu summary").click()
    other.get_by_role("button", name="Log out").click()
    other.wait_for_load_state()
    area(tab).fill("Who am I?")
    expect(state(tab)).to_contain_text("You are logged out. Your words are kept.")
    assert stored() == ""
    tab.get_by_role("button", name="Submit").click()  # is refused as well, and nothing is lost
    expect(state(tab)).to_contain_text("You are logged out. Your words are kept.")
    tab.get_by_role("link", name="Log in again").click()
    tab.get_by_label("Email").fill(labeler.user.email)
    tab.get_by_label("Password", exact=True).fill("correct horse battery staple")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/write/{lease.pk}/")
    expect(area(tab)).to_have_value("Who am I?")
    wait_until(lambda: stored() == "Who am I?", 3, "the draft on the server")


def test_logging_in_in_another_tab_is_enough(context: BrowserContext, labeler: Labeler, lease: Assignment) -> None:
    """The log-in changes the token; the page that stayed open goes on with the new one."""
    tab = open_piece(context, lease)
    cookies = context.cookies()
    context.clear_cookies()
    area(tab).fill("Still here")
    expect(state(tab)).not_to_have_text("")
    other = context.new_page()
    log_in(other, labeler.user)
    tab.bring_to_front()
    wait_until(lambda: stored() == "Still here", 15, "the draft on the server")
    assert {c["value"] for c in cookies if c["name"] == "csrftoken"} != {
        c["value"] for c in context.cookies() if c["name"] == "csrftoken"
    }
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: str(lease.pk) not in url)
    assert Demonstration.objects.get().text == "Still here"


def test_two_tabs_ask_whose_words_stay(context: BrowserContext, lease: Assignment) -> None:
    first, second = open_piece(context, lease), open_piece(context, lease)
    area(first).fill("From the first")
    expect(state(first)).to_contain_text("Saved")
    area(second).fill("From the second")
    expect(second.get_by_text("Another window has a newer version.")).to_be_visible()
    expect(area(second)).to_have_value("From the second")
    assert stored() == "From the first"
    second.get_by_role("button", name="Keep this one").click()
    wait_until(lambda: stored() == "From the second", 3, "the second tab's words")
    first.bring_to_front()
    area(first).fill("From the first, and more")
    first.get_by_role("button", name="Use it").click()
    expect(area(first)).to_have_value("From the second")
    expect(state(first)).to_contain_text("Saved")
    assert stored() == "From the second"


def test_a_choice_that_was_not_made_is_asked_again(context: BrowserContext, lease: Assignment) -> None:
    first, second = open_piece(context, lease), open_piece(context, lease)
    area(first).fill("From the first")
    expect(state(first)).to_contain_text("Saved")
    area(second).fill("From the second")
    expect(second.get_by_text("Another window has a newer version.")).to_be_visible()
    second.close()
    third = open_piece(context, lease)
    expect(area(third)).to_have_value("From the second")
    third.get_by_role("button", name="Use it").click()
    expect(area(third)).to_have_value("From the first")


def test_a_newer_version_is_never_overwritten_by_an_old_copy(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    context.set_offline(True)
    area(tab).fill("Old, from the tunnel")
    expect(state(tab)).to_contain_text("Kept in this browser")
    Draft.objects.create(assignment=lease, content='[["text","New, from the phone"]]', revision=3)
    tab.close()
    context.set_offline(False)
    tab = open_piece(context, lease)
    expect(tab.get_by_text("Another window has a newer version.")).to_be_visible()
    tab.wait_for_timeout(2000)
    assert stored() == "New, from the phone"
    expect(area(tab)).to_have_value("Old, from the tunnel")


FIELDS = """
<input type="checkbox" name="extra-traits" value="a" checked><input type="checkbox" name="extra-traits" value="b">
<input type="radio" name="extra-rating" value="1"><input type="radio" name="extra-rating" value="7">
<select name="extra-use_case"><option value="">None</option><option value="chat">Chat</option></select>
<input type="hidden" name="extra-spans" value=""><input name="extra-pair" value=""><input name="extra-pair" value="">
"""
READ = "[...new FormData(document.getElementById('writing'))].filter(([name]) => name.startsWith('extra-'))"


def test_fields_of_every_kind_come_back_and_the_page_is_told(context: BrowserContext, lease: Assignment) -> None:
    def with_other_fields(route: Route) -> None:
        answer = route.fetch()
        body = re.sub(r'<fieldset class="about">.*?</fieldset>', FIELDS, answer.text(), count=1, flags=re.DOTALL)
        route.fulfill(response=answer, body=body)

    context.route("**/write/*/", with_other_fields)
    context.route("**/draft/*", lambda route: route.abort())
    tab = open_piece(context, lease)
    area(tab).fill("Words")
    tab.locator("[name=extra-traits][value=a]").uncheck()
    tab.locator("[name=extra-traits][value=b]").check()
    tab.locator("[name=extra-rating][value='7']").check()
    tab.locator("[name=extra-use_case]").select_option("chat")
    tab.locator("[name=extra-pair]").nth(1).fill("second of two")
    tab.evaluate("document.querySelector('[name=extra-spans]').value = '[1]'")  # a script's own doing
    tab.wait_for_timeout(1200)
    tab.close()

    tab = context.new_page()
    tab.add_init_script("addEventListener('podium:restored', (event) => { window.told = event.detail.fields; })")
    tab.goto(f"/write/{lease.pk}/")
    expect(area(tab)).to_have_value("Words")
    expected = [
        ["extra-traits", "b"], ["extra-rating", "7"], ["extra-use_case", "chat"], ["extra-spans", "[1]"],
        ["extra-pair", ""], ["extra-pair", "second of two"],
    ]  # fmt: skip
    assert tab.evaluate(READ) == expected
    told = tab.evaluate("window.told")
    assert ["text", "Words"] in told
    assert [field for field in told if field[0].startswith("extra-")] == expected


def test_only_real_input_signs_the_ledger(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    tab.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }))")
    tab.wait_for_timeout(800)
    assert not ActiveSpan.objects.exists()
    with tab.expect_response("**/active/") as pinged:
        tab.mouse.move(200, 300)
    assert pinged.value.status == 204
    assert ActiveSpan.objects.get().assignment == lease
    signs: list[str] = []
    tab.on("request", lambda request: signs.append(request.url) if "/active/" in request.url else None)
    for x in range(5):
        tab.mouse.move(300 + x, 300)
    tab.wait_for_timeout(300)
    assert signs == []  # once in fifteen seconds is enough


def skip(tab: Page, reason: str) -> None:
    tab.locator("#skip summary").click()
    tab.get_by_role("button", name=reason, exact=True).click()


def test_a_skip_asks_only_where_there_is_a_draft_and_undo_brings_it_back(
    context: BrowserContext, lease: Assignment
) -> None:
    tab = open_piece(context, lease)
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        if len(questions) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    tab.on("dialog", answer)
    area(tab).fill("An hour of work")
    expect(state(tab)).to_contain_text("Saved")
    skip(tab, "Language")
    assert len(questions) == 1
    expect(area(tab)).to_have_value("An hour of work")
    tab.get_by_role("button", name="Language", exact=True).click()
    expect(tab.get_by_text("Skipped.")).to_be_visible()
    assert len(questions) == 2
    tab.get_by_role("button", name="Undo").click()
    tab.wait_for_url(f"**/write/{lease.pk}/")
    expect(area(tab)).to_have_value("An hour of work")
    lease.refresh_from_db()
    assert lease.state == Assignment.State.LEASED


def test_a_skip_without_a_draft_asks_nothing(context: BrowserContext, lease: Assignment) -> None:
    tab = open_piece(context, lease)
    questions: list[str] = []
    tab.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    area(tab).fill("x")
    area(tab).fill("")
    skip(tab, "Unclear")
    expect(tab.get_by_text("Skipped.")).to_be_visible()
    area(tab).fill("Something, but it is only put aside")
    skip(tab, "Not now")
    expect(tab.get_by_text("Put aside.")).to_be_visible()
    assert questions == []


@pytest.fixture
def server(tmp_path: Path, transactional_db: None) -> Iterator[WebServer]:
    server = WebServer(tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_killed_server_loses_nothing(
    new_browser: Callable[[str], BrowserContext], server: WebServer, lease: Assignment
) -> None:
    context = new_browser(server.url)
    tab = open_piece(context, lease, server.url)
    area(tab).fill("Before the crash")
    expect(state(tab)).to_contain_text("Saved")

    server.kill()
    area(tab).fill("Before the crash, and while it lay there")
    expect(state(tab)).to_have_text("Kept in this browser: no connection")
    tab.get_by_role("button", name="Submit").click()
    expect(state(tab)).to_contain_text("Not sent: no connection")
    tab.close()

    server.start()
    tab = open_piece(context, lease, server.url)
    expect(area(tab)).to_have_value("Before the crash, and while it lay there")
    expect(state(tab)).to_contain_text("Saved")
    assert stored() == "Before the crash, and while it lay there"
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: str(lease.pk) not in url)
    assert Demonstration.objects.get().text == "Before the crash, and while it lay there"
