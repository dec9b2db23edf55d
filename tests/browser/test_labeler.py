"""A labeler's day in a real browser: by keyboard, without scripts, in two tabs, on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Assignment, Demonstration, Labeler, RankedCompletion, Ranking
from tests.browser.conftest import log_in
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.browser

TEXTS = ("The first text.", "The second text.", "The third text.", "The fourth text.")


def places_of(ranking: Ranking) -> dict[str, int]:
    rows = RankedCompletion.objects.filter(ranking=ranking)
    return {row.completion.text: row.place for row in rows.select_related("completion")}


def number_of(page: Page, text: str) -> int:
    """The number under which this text is shown: the display order is random."""
    return int(page.locator(".card", has_text=text).get_attribute("data-card") or 0)


def test_a_person_logs_in_writes_a_demonstration_and_ranks_by_keyboard(page: Page, labeler: Labeler) -> None:
    writing_work(1)
    ranking_work(1, texts=TEXTS)
    log_in(page, labeler.user)

    page.get_by_role("button", name="Write").press("Enter")
    expect(page.get_by_label("Your demonstration")).to_be_focused()
    page.keyboard.type("It is one.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/work/nothing/demonstrate/")
    written = Demonstration.objects.get()
    assert (written.text, written.labeler) == ("It is one.", labeler)

    page.goto("/")
    page.get_by_role("button", name="Rank").press("Enter")
    page.wait_for_url("**/rank/**")
    best, second, tied, last = (number_of(page, text) for text in TEXTS)
    page.keyboard.press(str(best))
    page.keyboard.press(str(last))  # a slip
    page.keyboard.press("z")
    page.keyboard.press(str(second))
    page.keyboard.press("=")
    page.keyboard.press(str(tied))
    page.keyboard.press(str(last))
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    assert places_of(Ranking.objects.get()) == dict(zip(TEXTS, (1, 2, 2, 3), strict=True))


def test_nothing_can_be_submitted_before_all_are_placed(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS)
    log_in(page, labeler.user)
    page.get_by_role("button", name="Rank").click()
    page.wait_for_url("**/rank/**")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert "/rank/" in page.url
    assert not Ranking.objects.exists()


def test_the_page_does_not_say_who_wrote_what(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS)
    log_in(page, labeler.user)
    page.get_by_role("button", name="Rank").click()
    page.wait_for_url("**/rank/**")
    source = page.content()
    item = Assignment.objects.get().item
    for completion in item.completions.select_related("run", "checkpoint"):
        for secret in (str(completion.run_id), completion.checkpoint.name, completion.checkpoint.path):
            assert secret not in source


def test_ranking_works_without_scripts(new_context: Any, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS)
    page = new_context(java_script_enabled=False).new_page()
    log_in(page, labeler.user)
    page.get_by_role("button", name="Rank").click()
    for text, place in zip(TEXTS, ("2", "1", "2", "3"), strict=True):
        page.locator(f"#place-{number_of(page, text)}").select_option(place)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/work/nothing/rank/")
    assert places_of(Ranking.objects.get()) == dict(zip(TEXTS, (2, 1, 2, 3), strict=True))


def test_two_tabs_send_one_ranking(new_context: Any, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS)
    context = new_context()
    first, second = context.new_page(), context.new_page()
    log_in(first, labeler.user)
    first.get_by_role("button", name="Rank").click()
    first.wait_for_url("**/rank/**")
    second.goto(first.url)
    for tab, order in ((first, "1234"), (second, "4321")):
        for number in order:
            tab.keyboard.press(number)
    first.keyboard.press("Enter")
    first.wait_for_url("**/work/nothing/rank/")
    kept = places_of(Ranking.objects.get())
    second.keyboard.press("Enter")
    expect(second.get_by_text("You have sent this in before. The first version was kept.")).to_be_visible()
    assert places_of(Ranking.objects.get()) == kept


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_a_labeler_scrolls_sideways(new_context: Any, labeler: Labeler, width: int) -> None:
    writing_work(1)
    ranking_work(1, texts=(*TEXTS[:3], "A word like " + "Donaudampfschifffahrt" * 20))
    page = new_context(viewport={"width": width, "height": 844}).new_page()
    log_in(page, labeler.user)
    for name in ("", "Write", "Rank"):
        page.goto("/")
        if name:
            page.get_by_role("button", name=name).click()
            page.wait_for_load_state()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name or "home"
