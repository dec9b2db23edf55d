"""A labeler's home in a real browser: reading first, topics, messages; the researcher's side of them."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.guidelines.publish import current, publish
from labeling.labelers.enroll import enroll, give_role
from labeling.labelers.rates import set_rate
from labeling.models import ActiveSpan, Assignment, Cohort, Kind, Labeler, Purpose, Role, Thread, User
from labeling.prompts.topics import known
from labeling.queue import dispatch
from labeling.threads import talk
from tests.browser.conftest import log_in
from tests.people import make_user
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.browser


def test_a_newcomer_confirms_the_guidelines_before_work(page: Page) -> None:
    writing_work(1)
    newcomer = enroll(make_user("nina"), cohort=Cohort.TRAINING)
    log_in(page, newcomer.user)
    expect(page.get_by_role("heading", name="Please read this first")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    page.get_by_role("link", name="Read and confirm").click()
    expect(page.get_by_role("heading", name="Ranking answers")).to_be_visible()
    page.get_by_role("button", name="I have read this").press("Enter")
    page.get_by_role("button", name="Start").press("Enter")
    page.wait_for_url("**/write/**")


def test_a_changed_guideline_stops_work_until_it_is_confirmed(new_context: Any, labeler: Labeler) -> None:
    page = new_context().new_page()  # a refusal on the way is meant
    writing_work(1)
    first = current(Purpose.TRAINING)
    log_in(page, labeler.user)
    page.goto(reverse("guideline-read", args=[first.pk]))
    page.get_by_role("button", name="I have read this").click()
    publish(Purpose.TRAINING, first.title, first.body.replace("**Ties are welcome.**", "**Ties are rare.**"))
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Please read and confirm them")).to_be_visible()
    page.goto("/")
    page.get_by_role("link", name="Read and confirm").click()
    expect(page.locator("del")).to_contain_text("welcome.**")
    expect(page.locator("ins")).to_contain_text("rare.**")
    page.get_by_role("button", name="I have read this").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/write/**")


def test_a_labeler_opts_out_of_a_topic(page: Page, labeler: Labeler) -> None:
    log_in(page, labeler.user)
    page.get_by_role("link", name="Choose what I would rather not read about").click()
    page.get_by_label("Violence and injury").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("Violence and injury")).to_be_checked()
    page.goto("/")
    expect(page.get_by_text("You are not given pieces about: Violence and injury")).to_be_visible()
    labeler.refresh_from_db()
    assert labeler.unwanted_topics == ["violence"]


def test_asking_about_a_piece_and_getting_an_answer(new_context: Any, labeler: Labeler, researcher: User) -> None:
    writing_work(1)
    lenas = new_context().new_page()
    log_in(lenas, labeler.user)
    lenas.get_by_role("button", name="Start").click()
    lenas.get_by_label("Your demonstration").fill("Half an ans")
    lenas.get_by_text("Ask about this piece").click()
    lenas.get_by_label("Your question to the researchers").fill("May I rhyme?")
    lenas.get_by_role("button", name="Send the question").click()
    expect(lenas.get_by_text("Sent. The answer comes under")).to_be_focused()
    expect(lenas.get_by_label("Your demonstration")).to_have_value("Half an ans")

    rosas = new_context().new_page()
    log_in(rosas, researcher)
    rosas.locator("summary", has_text="People").click()
    rosas.get_by_role("link", name="Messages").click()
    expect(rosas.get_by_text("waits for an answer")).to_be_visible()
    rosas.get_by_role("link", name="May I rhyme?").click()
    expect(rosas.get_by_text(f"With {labeler.pseudonym}")).to_be_visible()
    rosas.get_by_label("Message", exact=True).fill("Please do.")
    rosas.get_by_role("button", name="Send").click()
    expect(rosas.locator(".posts")).to_contain_text("Please do.")

    lenas.goto("/")
    lenas.get_by_role("link", name="One conversation has something new").click()
    lenas.get_by_role("link", name="May I rhyme?").click()
    expect(lenas.locator(".posts")).to_contain_text("Please do.")
    expect(lenas.locator(".posts")).to_contain_text("Rosa")
    lenas.goto("/")
    expect(lenas.get_by_text("something new")).to_have_count(0)
    assert Thread.objects.count() == 1


def test_asking_works_without_scripts(new_context: Any, labeler: Labeler) -> None:
    writing_work(1)
    page = new_context(java_script_enabled=False).new_page()
    log_in(page, labeler.user)
    page.get_by_role("button", name="Start").click()
    address = page.url
    page.get_by_text("Ask about this piece").click()
    page.get_by_label("Your question to the researchers").fill("May I rhyme?")
    page.get_by_role("button", name="Send the question").click()
    expect(page.get_by_text("Sent. The answer comes under Messages.")).to_be_visible()
    assert page.url == address


def test_a_guideline_is_seen_as_labelers_will_see_it(page: Page, researcher: User) -> None:
    log_in(page, researcher)
    page.goto(reverse("guideline-publish", args=["training"]))
    page.get_by_label("Text", exact=True).press("Control+Home")
    page.keyboard.type("## Be *kind*\n\n<b>bold</b>\n\n")
    preview = page.locator("#preview")
    expect(preview.get_by_role("heading", name="Be kind")).to_be_visible()
    expect(preview).to_contain_text("<b>bold</b>")
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("(version 2) is out.")).to_be_visible()
    assert current(Purpose.TRAINING).body.startswith("## Be *kind*")


# ── Every page, narrow and wide, light and dark ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def addresses(labeler: Labeler, researcher: User, admin_user: User) -> Iterator[dict[str, tuple[User, list[str]]]]:
    """Who opens what: every page of home, guidelines, topics, messages, rubric and labelers, with something on it."""
    writing_work(3)
    ranking_work(2)
    first = current(Purpose.TRAINING)
    long_word = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
    second = publish(Purpose.TRAINING, first.title, first.body.replace("Ties", f"`{long_word}` ties"))
    newcomer = enroll(make_user("nina"), cohort=Cohort.HELD_OUT)
    Labeler.objects.filter(pk=labeler.pk).update(must_read=False, unwanted_topics=[known()[0].slug])
    set_rate(labeler, Decimal("21.50"), "EUR")
    labeler.refresh_from_db()
    for kind in (Kind.RANK, Kind.DEMONSTRATE):
        did = dispatch.claim(labeler, kind)
        assert did is not None
        Assignment.objects.filter(pk=did.pk).update(state=Assignment.State.DONE, ended_at=timezone.now())
        ActiveSpan.objects.create(
            labeler=labeler, assignment=did, started_at=timezone.now() - timedelta(minutes=40), ended_at=timezone.now()
        )
    lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
    assert lease is not None
    question = talk.ask(labeler, f"May I write {long_word}?", lease.item)
    talk.reply(researcher, question, "You may.")
    news = talk.announce(researcher, "Monday", "We start at nine.")
    talk.ask(newcomer, "Where do I begin?")
    give_role(admin_user, Role.ADMIN)
    read = [reverse("guideline-read", args=[guideline.pk]) for guideline in (first, second)]
    threads = [reverse("thread-detail", args=[thread.pk]) for thread in (question, news)]
    lists = [reverse("guideline-list"), reverse("thread-list")]
    publishing = [reverse("guideline-publish", args=[purpose]) for purpose in Purpose]
    topics = [reverse("topic-list"), reverse("topic-tag"), reverse("topic-describe", args=["abuse"])]
    write = reverse("demonstration-write", args=[lease.pk])
    yield {
        "newcomer": (newcomer.user, ["/", *read, *lists]),
        "labeler": (
            labeler.user,
            ["/", *read, *lists, *threads, reverse("topic-choose"), reverse("labeler-guide"), write],
        ),
        "researcher": (researcher, [*read, *lists, *threads, *publishing, *topics, reverse("rubric-list")]),
        "admin": (admin_user, [reverse("labeler-list")]),
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_is_for_everybody(new_context: Any, addresses: Any, width: int, theme: str) -> None:
    for user, places in addresses.values():
        page = new_context(viewport={"width": width, "height": 844}, color_scheme=theme).new_page()
        log_in(page, user)
        for place in places:
            page.goto(place)
            page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            found = Axe().run(page)
            assert found.violations_count == 0, f"{place}\n{found.generate_report()}"
