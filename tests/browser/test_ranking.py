"""Ranking in a real browser: by keyboard alone, by mouse and by touch; ratings, flags, passages, correcting."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from labeling.models import Kind, Labeler, RankedCompletion, Ranking
from labeling.queue import dispatch
from labeling.rankings.submit import submit
from tests.browser.conftest import log_in
from tests.work import ranking_work

pytestmark = pytest.mark.browser

TEXTS = tuple(f"Text number {letter}." for letter in "abcdefghi")


def begin(page: Page, labeler: Labeler) -> None:
    log_in(page, labeler.user)
    page.get_by_role("button", name="Rank").click()
    page.wait_for_url("**/rank/**")


def numbers(page: Page, texts: tuple[str, ...]) -> list[int]:
    """The numbers under which these texts are shown: the display order is random."""
    return [int(page.locator(".card", has_text=text).get_attribute("data-card") or 0) for text in texts]


def stored(ranking: Ranking | None = None) -> dict[str, int]:
    rows = RankedCompletion.objects.filter(ranking=ranking or Ranking.objects.get())
    return {row.completion.text: row.place for row in rows.select_related("completion")}


@pytest.mark.parametrize("k", [4, 9])
def test_by_keyboard_alone_k_keys_and_one_more(page: Page, labeler: Labeler, k: int) -> None:
    ranking_work(1, texts=TEXTS[:k])
    begin(page, labeler)
    for number in numbers(page, TEXTS[:k]):
        page.keyboard.press(str(number))
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    assert stored() == {text: place for place, text in enumerate(TEXTS[:k], start=1)}


@pytest.mark.parametrize("k", [4, 9])
def test_by_mouse_cards_are_dragged_into_rows(page: Page, labeler: Labeler, k: int) -> None:
    ranking_work(1, texts=TEXTS[:k])
    begin(page, labeler)
    cards = numbers(page, TEXTS[:k])
    for number in cards[1:]:
        drag(page, key(page, number), page.locator(".rank-gap.last"))
        expect(page.locator(f"[data-chip='{number}']")).to_be_visible()
    drag(page, key(page, cards[0]), page.locator(".rank-gap").first)  # before all others
    drag(page, page.locator(f"[data-chip='{cards[-1]}']"), page.locator(".rank-row").first)  # beside the best: a tie
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/work/nothing/rank/")
    expected = {text: place for place, text in enumerate(TEXTS[:k], start=1)}
    assert stored() == {**expected, TEXTS[k - 1]: 1}


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_under_a_dragged_card_when_the_draft_is_saved(page: Page, labeler: Labeler, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    ranking_work(1, texts=TEXTS)
    begin(page, labeler)
    what = key(page, 5)
    what.evaluate("part => part.scrollIntoView({ block: 'center' })")
    page.mouse.move(*middle(what))
    page.mouse.down()
    page.mouse.move(*[at + 12 for at in middle(what)])
    before = page.locator("#order").bounding_box()
    for state in ("Saving…", "Saved 10:44", "Saved 10:44 AM"):
        page.locator("#draft-state").evaluate("(part, state) => part.replaceChildren(state)", state)
        assert page.locator("#order").bounding_box() == before, state


@pytest.mark.parametrize("k", [4, 9])
def test_by_touch_cards_are_dragged_into_rows(new_context: Any, labeler: Labeler, k: int) -> None:
    ranking_work(1, texts=TEXTS[:k])
    page = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).new_page()
    begin(page, labeler)
    finger = page.context.new_cdp_session(page)
    for number in numbers(page, TEXTS[:k]):
        key(page, number).evaluate("part => part.scrollIntoView({ block: 'center' })")
        x, y = middle(key(page, number))
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + 20}]})
        x, y = middle(page.locator(".rank-gap.last"))
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(page.locator(f"[data-chip='{number}']")).to_be_visible()
    page.get_by_role("button", name="Submit").tap()
    page.wait_for_url("**/work/nothing/rank/")
    assert stored() == {text: place for place, text in enumerate(TEXTS[:k], start=1)}


def test_a_click_on_its_number_places_an_answer(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS[:4])
    begin(page, labeler)
    for number in numbers(page, TEXTS[:4]):
        key(page, number).click()
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    assert stored() == {text: place for place, text in enumerate(TEXTS[:4], start=1)}


def test_undo_takes_back_every_kind_of_act(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS[:4])
    begin(page, labeler)
    first, second, third, _ = numbers(page, TEXTS[:4])
    page.keyboard.press(str(first))
    page.keyboard.press(f"Shift+Digit{second}")
    page.keyboard.press("q")  # rates card 1
    page.keyboard.press("n")
    drag(page, key(page, third), page.locator(".rank-gap").first)
    order = page.locator("#order")
    tied = "=".join(sorted((str(first), str(second))))
    expect(order.locator(".rank-row")).to_have_text([f"1st{third}", f"2nd{tied}"])
    page.keyboard.press("z")
    expect(order.locator(".rank-row")).to_have_text([f"1st{tied}"])
    expect(page.get_by_label("None of them is acceptable")).to_be_checked()
    page.keyboard.press("z")
    expect(page.get_by_label("None of them is acceptable")).not_to_be_checked()
    assert page.locator("[name='rating-1']:checked").count() == 1
    page.keyboard.press("z")
    assert page.locator("[name='rating-1']:checked").count() == 0
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(order.locator(".rank-row")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_ratings_flags_and_reasons_by_keyboard(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS[:4])
    begin(page, labeler)
    page.keyboard.press("d")  # made-up facts, of card 1
    for rating in "wert":  # one key each: 2, 3, 4, 5, the mark goes on by itself
        page.keyboard.press(rating)
    for number in (1, 2, 3, 4):
        page.keyboard.press(str(number))
    page.get_by_label("More correct").check()
    page.keyboard.press("m")
    page.keyboard.type("Two invents a date.")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    ranking = Ranking.objects.get()
    rows = {row.completion_id: row for row in ranking.places.all()}
    assert [rows[pk].rating for pk in ranking.display_order] == [2, 3, 4, 5]
    assert [rows[pk].flags for pk in ranking.display_order] == [["hallucination"], [], [], []]
    assert (ranking.reasons, ranking.rationale) == (["more-correct"], "Two invents a date.")


def test_a_passage_is_marked_for_a_flag(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=("🌊 The moon is green cheese.", *TEXTS[:3]))
    begin(page, labeler)
    (number,) = numbers(page, ("🌊 The moon",))
    card = page.locator(f".card[data-card='{number}']")
    card.click(position={"x": 5, "y": 5})
    page.evaluate(
        """(number) => {
            const text = document.querySelector(`[data-card="${number}"] [data-text]`).firstChild;
            const from = text.data.indexOf("green cheese");
            getSelection().setBaseAndExtent(text, from, text, from + "green cheese".length);
        }""",
        number,
    )
    expect(page.get_by_role("toolbar")).to_be_visible()
    page.keyboard.press("d")
    expect(card.get_by_text("green cheese", exact=True)).to_be_visible()
    for other in (1, 2, 3, 4):
        page.keyboard.press(str(other))
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    row = RankedCompletion.objects.get(completion__text__startswith="🌊")
    start = "🌊 The moon is green cheese.".index("green")
    assert row.spans == [{"flag": "hallucination", "start": start, "end": start + 12}]


def test_two_answers_stand_side_by_side(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=TEXTS[:5])
    begin(page, labeler)
    page.keyboard.press("c")
    page.keyboard.press("4")
    page.keyboard.press("2")
    texts = [page.locator(f".card[data-card='{number}'] [data-text]").inner_text() for number in (4, 2)]
    expect(page.locator("#compare .text")).to_have_text(texts)
    page.keyboard.press("Escape")
    expect(page.locator("#compare")).not_to_be_visible()
    expect(page.locator("#order .rank-row")).to_have_count(0)  # the numbers chose what to see, they placed nothing


def test_markdown_is_a_switch_and_loses_nothing(page: Page, labeler: Labeler) -> None:
    ranking_work(2, texts=("A **bold** claim", "<b>not bold</b>", *TEXTS[:2]))
    begin(page, labeler)
    page.keyboard.press("1")
    page.keyboard.press("v")
    expect(page.locator(".card strong")).to_have_text("bold")
    expect(page.get_by_text("<b>not bold</b>")).to_be_visible()
    expect(page.locator("#order .rank-row")).to_have_text(["1st1"])
    for number in (2, 3, 4):
        page.keyboard.press(str(number))
    page.keyboard.press("Enter")
    expect(page.locator("#order .rank-row")).to_have_count(0)  # the next piece ...
    expect(page.locator(".card strong")).to_have_text("bold")  # ... is shown as this labeler likes it


def test_the_next_piece_comes_without_a_new_page(page: Page, labeler: Labeler) -> None:
    ranking_work(2, texts=TEXTS[:4])
    begin(page, labeler)
    first = page.url
    page.evaluate("window.stays = true")
    for number in "1234":
        page.keyboard.press(number)
    page.keyboard.press("Enter")
    page.wait_for_function("(first) => location.href !== first", arg=first)
    expect(page.locator("#order .rank-row")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.evaluate("window.stays")
    for number in "4321":
        page.keyboard.press(number)
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/nothing/rank/")
    assert Ranking.objects.count() == 2


def test_a_ranking_is_corrected_until_it_is_frozen(new_context: Any, labeler: Labeler) -> None:
    page = new_context().new_page()
    ranking_work(1, texts=TEXTS[:4])
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease is not None
    ranking = submit(labeler, lease.pk, {1: 1, 2: 2, 3: 3, 4: 4})
    before = stored(ranking)
    log_in(page, labeler.user)
    page.goto(f"/rank/{lease.pk}/")
    expect(page.locator("#order .rank-row")).to_have_text(["1st1", "2nd2", "3rd3", "4th4"])
    page.get_by_label("Place of answer 4").select_option("1")
    page.get_by_role("button", name="Store the correction").click()
    expect(page.get_by_text("Your correction is stored.")).to_be_visible()
    fourth = next(text for text, place in before.items() if place == 4)
    assert stored(ranking)[fourth] == 1
    Ranking.objects.update(frozen_at=timezone.now())
    page.goto(f"/rank/{lease.pk}/")
    expect(page.get_by_text("part of a dataset now")).to_be_visible()


def key(page: Page, number: int) -> Locator:
    return page.locator(f".card[data-card='{number}'] .key")


def middle(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, what: Locator, where: Locator) -> None:
    """By mouse. The gaps between the rows open when the drag has begun."""
    what.evaluate("part => part.scrollIntoView({ block: 'center' })")  # clear of the bar at the bottom
    page.mouse.move(*middle(what))
    page.mouse.down()
    page.mouse.move(*[at + 12 for at in middle(what)])
    page.mouse.move(*middle(where), steps=4)
    page.mouse.up()
