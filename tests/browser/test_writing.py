"""Writing in a real browser: demonstrations and prompts, by keys alone, corrected, and without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from labeling.models import Assignment, Demonstration, Kind, Labeler, Prompt, Proposal
from labeling.queue import dispatch
from labeling.queue.fill import Brief
from tests.browser.conftest import log_in
from tests.work import make_batch, proposing_work, writing_work

pytestmark = pytest.mark.browser

FEW_SHOT = Brief(shape="few_shot", use_case="", text="")
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren."


def open_writing(page: Page, labeler: Labeler, kind: Kind = Kind.DEMONSTRATE) -> Assignment:
    lease = dispatch.claim(labeler, kind)
    assert lease is not None
    log_in(page, labeler.user)
    page.goto(f"/{'write' if kind == Kind.DEMONSTRATE else 'propose'}/{lease.pk}/")
    expect(page.locator("textarea[autofocus]")).to_be_focused()  # else the first key could go astray
    return lease


def test_write_say_what_the_prompt_is_and_go_on_by_keyboard_alone(page: Page, labeler: Labeler) -> None:
    writing_work(2)
    open_writing(page, labeler)
    page.evaluate("window.samePage = true")
    page.keyboard.type("It is one, of course.")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Use case")).to_be_focused()
    page.keyboard.type("Open")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")  # what does that mean?
    page.keyboard.press("Enter")
    expect(page.get_by_text("It can be understood in two ways")).to_be_visible()
    page.keyboard.press("Control+Enter")

    following = page.get_by_label("Your demonstration")
    expect(following).to_have_value("")
    expect(following).to_be_focused()
    written = Demonstration.objects.get()
    assert (written.text, written.use_case, written.traits) == ("It is one, of course.", "open_qa", ["ambiguous"])
    second = Assignment.objects.get(state=Assignment.State.LEASED)
    assert page.url.endswith(f"/write/{second.pk}/")
    assert page.evaluate("window.samePage") is True, "the next piece came as a whole page"

    page.keyboard.type("Two.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/nothing/demonstrate/")
    assert set(Demonstration.objects.values_list("text", flat=True)) == {"It is one, of course.", "Two."}


def test_length_and_language_are_seen_while_writing(page: Page, labeler: Labeler) -> None:
    writing_work(1)
    open_writing(page, labeler)
    expect(page.locator("#length")).to_have_text("0 words · 0 characters")
    page.keyboard.type("Hallo 👩🏽‍🔬")
    expect(page.locator("#length")).to_have_text("2 words · 10 characters")
    expect(page.locator("#language")).to_be_empty()
    page.get_by_label("Your demonstration").fill(GERMAN)
    expect(page.locator("#language")).to_contain_text("German")
    page.get_by_label("Your demonstration").fill("Kurz.")
    expect(page.locator("#language")).to_be_empty()
    expect(page.locator("#length")).to_have_text("1 word · 5 characters")


def test_the_preview_follows_what_is_written_and_obeys_nothing(page: Page, labeler: Labeler) -> None:
    writing_work(1)
    open_writing(page, labeler)
    preview = page.get_by_role("region", name="How it looks as Markdown")
    page.keyboard.type("Some **bold** words <img src=x onerror=alert(1)>")
    expect(preview).to_be_hidden()
    page.keyboard.press("Control+Shift+P")
    expect(preview.locator("strong")).to_have_text("bold")
    expect(preview).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.type(" and *more*")
    expect(preview.locator("em")).to_have_text("more")
    expect(page.get_by_label("Your demonstration")).to_be_focused()
    page.keyboard.press("Control+Shift+P")
    expect(preview).to_be_hidden()
    page.get_by_role("button", name="Preview").click()
    expect(preview).to_be_visible()


def test_the_keys_are_shown_and_skip_has_one(page: Page, labeler: Labeler) -> None:
    writing_work(1)
    open_writing(page, labeler)
    keys = page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    expect(page.get_by_label("Your demonstration")).to_have_value("?")
    expect(keys).to_be_hidden()
    page.keyboard.press("Backspace")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.get_by_label("Your demonstration").focus()
    page.keyboard.press("Alt+s")
    expect(page.get_by_role("button", name="Unclear")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/demonstrate/")
    assert Assignment.objects.get().skip_reason == "unclear"


def test_a_refused_text_stays_in_the_field(new_context: Any, labeler: Labeler) -> None:
    page = new_context().new_page()  # Chromium takes the refusal for a failure
    writing_work(1)
    open_writing(page, labeler)
    page.get_by_label("Your demonstration").fill("x" * 20_001)
    with page.expect_response(lambda answer: answer.request.method == "POST" and "/write/" in answer.url):
        page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("at most 20,000")
    expect(page.get_by_label("Your demonstration")).to_have_value("x" * 20_001)
    page.get_by_label("Your demonstration").fill("Short.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/nothing/demonstrate/")
    assert Demonstration.objects.get().text == "Short."


def test_two_presses_are_one_submission(page: Page, labeler: Labeler) -> None:
    writing_work(2)
    lease = open_writing(page, labeler)
    sent: list[str] = []

    def slowly(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url)
            page.wait_for_timeout(400)
        route.continue_()

    page.route(f"**/write/{lease.pk}/", slowly)
    page.keyboard.type("Once.")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Your demonstration")).to_have_value("")
    page.wait_for_timeout(600)
    assert len(sent) == 1
    assert Demonstration.objects.get().text == "Once."


def test_a_correction(page: Page, labeler: Labeler) -> None:
    writing_work(1)
    open_writing(page, labeler)
    page.keyboard.type("Teh answer.")
    page.get_by_label("Asks for advice").check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/nothing/demonstrate/")
    page.goto("/work/recent/")
    page.get_by_role("link", name="Correct").click()
    expect(page.get_by_label("Your demonstration")).to_have_value("Teh answer.")
    expect(page.get_by_label("Asks for advice")).to_be_checked()
    page.get_by_label("Your demonstration").fill("The answer.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/recent/")
    expect(page.get_by_text("Your correction is stored.")).to_be_visible()
    row = Demonstration.objects.get()
    assert (row.text, row.traits, row.earlier[0]["text"]) == ("The answer.", ["advice"], "Teh answer.")


def test_a_conversation_on_a_sensitive_topic_is_opened_by_hand(page: Page, labeler: Labeler) -> None:
    turns = [
        {"role": "user", "text": "Hi."},
        {"role": "assistant", "text": "Hello!"},
        {"role": "user", "text": "Well?"},
    ]
    prompt = Prompt.objects.create(
        text="flat", turns=turns, topics=["illness"], digest="d", use_case="chat", split="train", source="s"
    )
    dispatch.add_demonstration_items(make_batch(Kind.DEMONSTRATE), [prompt])
    open_writing(page, labeler)
    expect(page.get_by_text("This piece is about: ")).to_be_visible()
    expect(page.get_by_text("Hello!")).to_be_hidden()
    page.get_by_text("Show it").click()
    expect(page.get_by_text("Hello!")).to_be_visible()
    expect(page.locator(".speaker")).to_have_text(["User", "Assistant", "User"])


def test_a_few_shot_prompt_with_a_pair_more(page: Page, labeler: Labeler) -> None:
    proposing_work(FEW_SHOT)
    open_writing(page, labeler, Kind.PROPOSE)
    page.keyboard.type("Say it politely.")
    page.get_by_role("button", name="Add a pair").click()
    expect(page.get_by_label("Query").nth(3)).to_be_focused()
    for number in range(4):
        page.get_by_label("Query").nth(number).fill(f"Do {number}.")
        page.get_by_label("Response").nth(number).fill(f"Please do {number}.")
    page.get_by_role("button", name="Remove pair 2").click()
    expect(page.get_by_text("Pair 2 removed.")).to_be_attached()
    expect(page.get_by_label("Query").nth(1)).to_have_value("Do 2.")
    page.get_by_label("Use case").select_option("Rewrite")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/nothing/propose/")
    proposal = Proposal.objects.get()
    assert (proposal.text, proposal.use_case) == ("Say it politely.", "rewrite")
    assert proposal.pairs == [{"query": f"Do {n}.", "response": f"Please do {n}."} for n in (0, 2, 3)]


def test_there_are_two_to_eight_pairs(page: Page, labeler: Labeler) -> None:
    proposing_work(FEW_SHOT)
    open_writing(page, labeler, Kind.PROPOSE)
    add = page.get_by_role("button", name="Add a pair")
    for _ in range(5):
        add.click()
    expect(page.get_by_label("Query")).to_have_count(8)
    expect(add).to_be_disabled()
    for _ in range(6):
        page.get_by_role("button", name="Remove pair 1").click()
    expect(page.get_by_label("Query")).to_have_count(2)
    expect(page.get_by_role("button", name="Remove pair 1")).to_be_disabled()


def test_a_draft_with_more_pairs_than_the_page_comes_back(new_context: Any, labeler: Labeler) -> None:
    page = new_context().new_page()  # whose requests may fail
    proposing_work(FEW_SHOT)
    open_writing(page, labeler, Kind.PROPOSE)
    page.route("**/draft/*", lambda route: route.abort())  # the server hears nothing: this browser keeps it
    for _ in range(2):
        page.get_by_role("button", name="Add a pair").click()
    page.get_by_label("Query").nth(4).fill("The fifth.")
    page.get_by_label("Response").nth(4).fill("Its response.")
    expect(page.get_by_text("Kept in this browser")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Query")).to_have_count(5)
    expect(page.get_by_label("Query").nth(4)).to_have_value("The fifth.")
    expect(page.get_by_label("Response").nth(4)).to_have_value("Its response.")


@pytest.fixture
def plain_page(new_context: Any) -> Page:
    """A browser without scripts."""
    page: Page = new_context(java_script_enabled=False).new_page()
    return page


def test_a_demonstration_is_written_and_corrected_without_scripts(plain_page: Page, labeler: Labeler) -> None:
    writing_work(1)
    lease = open_writing(plain_page, labeler)
    plain_page.get_by_label("Your demonstration").fill("One.")
    plain_page.get_by_label("Ambiguous", exact=True).check()
    plain_page.get_by_role("button", name="Submit").click()
    plain_page.wait_for_url("**/work/nothing/demonstrate/")
    plain_page.goto(f"/write/{lease.pk}/")
    plain_page.get_by_label("Your demonstration").fill("Two.")
    plain_page.get_by_role("button", name="Store the correction").click()
    plain_page.wait_for_url("**/work/recent/")
    row = Demonstration.objects.get()
    assert (row.text, row.traits) == ("Two.", ["ambiguous"])


def test_pairs_are_added_and_removed_without_scripts(plain_page: Page, labeler: Labeler) -> None:
    proposing_work(FEW_SHOT)
    open_writing(plain_page, labeler, Kind.PROPOSE)
    plain_page.get_by_label("Your instruction").fill("Say it politely.")
    plain_page.get_by_role("button", name="Add a pair").click()
    for number in range(4):
        plain_page.get_by_label("Query").nth(number).fill(f"Do {number}.")
        plain_page.get_by_label("Response").nth(number).fill(f"Please do {number}.")
    plain_page.get_by_role("button", name="Remove pair 1").click()
    plain_page.get_by_label("Use case").select_option("Rewrite")
    plain_page.get_by_role("button", name="Submit").click()
    plain_page.wait_for_url("**/work/nothing/propose/")
    assert [pair["query"] for pair in Proposal.objects.get().pairs] == ["Do 1.", "Do 2.", "Do 3."]
