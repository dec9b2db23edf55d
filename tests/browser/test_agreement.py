"""The plots of the agreement page are drawn, and lead to the items behind them."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Labeler, User
from tests.browser.conftest import log_in
from tests.labeling.agreement.overlap import ranked_by
from tests.work import ranking_work

pytestmark = pytest.mark.browser


@pytest.fixture
def overlap(labeler: Labeler, second_labeler: Labeler) -> tuple[Labeler, Labeler]:
    batch = ranking_work(2, need=2)
    ranked_by(batch, (labeler, [[1, 2, 3, 4]] * 2), (second_labeler, [[1, 2, 3, 4], [2, 1, 3, 4]]))
    return labeler, second_labeler


def test_a_cell_of_the_matrix_leads_to_what_both_ranked(
    page: Page, admin_user: User, overlap: tuple[Labeler, Labeler]
) -> None:
    log_in(page, admin_user)
    page.goto(reverse("agreement"))
    cells = page.locator("#pairs-plot .nsewdrag")
    expect(page.locator("#pairs-plot .heatmaplayer image")).to_be_visible()
    box = cells.bounding_box()
    assert box is not None
    cells.click(position={"x": 0.75 * box["width"], "y": 0.25 * box["height"]})  # the upper of the two that differ
    expect(page.get_by_role("heading", level=1)).to_contain_text(" and ")
    for person in overlap:
        expect(page.get_by_role("heading", level=1)).to_contain_text(person.pseudonym)
    expect(page.get_by_text("5 of 6 pairs")).to_be_visible()
    page.get_by_role("link", name="What is").first.click()
    expect(page.get_by_role("heading", name="One item, side by side")).to_be_visible()


def test_a_labelers_mark_leads_to_the_labelers_items(
    page: Page, admin_user: User, overlap: tuple[Labeler, Labeler]
) -> None:
    log_in(page, admin_user)
    page.goto(reverse("agreement"))
    mark = page.locator("#labelers-plot .scatterlayer .point").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#labelers-plot .hoverlayer .hovertext")).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_contain_text("and the others")


def test_narrowing_the_page(page: Page, admin_user: User, overlap: tuple[Labeler, Labeler]) -> None:
    log_in(page, admin_user)
    page.goto(reverse("agreement"))
    page.get_by_label("Cohort").select_option("Held-out")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Agreement is undefined here: fewer than 2 labelers on any item.")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.get_by_role("heading", name="Overall")).to_be_visible()
