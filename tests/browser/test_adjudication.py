"""An adjudication from the list to the revision, as a person does it."""

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Decision, Labeler, User
from tests.browser.conftest import log_in
from tests.labeling.agreement.overlap import ranked_by
from tests.work import ranking_work

pytestmark = pytest.mark.browser


def test_decide_find_it_decided_and_revise(
    page: Page, researcher: User, labeler: Labeler, second_labeler: Labeler
) -> None:
    batch = ranking_work(2, need=2)
    ranked_by(batch, (labeler, [[1, 2, 3, 4]] * 2), (second_labeler, [[2, 1, 3, 4], [4, 3, 2, 1]]))
    log_in(page, researcher)
    page.get_by_text("People", exact=True).click()
    page.get_by_role("link", name="Adjudication").click()
    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("0 of 6 pairs")  # the worst disagreement first
    rows.nth(1).get_by_role("link").first.click()
    for person in (labeler, second_labeler):
        expect(page.get_by_role("columnheader", name=person.pseudonym)).to_be_visible()
    page.get_by_role("button", name="Take this item").click()
    page.get_by_label(f"That of {second_labeler.pseudonym}").check()
    page.get_by_label("Missed a factual error").check()
    page.get_by_label("Why").fill("The first one is wrong.")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("The decision is stored")).to_be_visible()
    expect(page.get_by_text("0 of 6 pairs")).to_have_count(0)
    page.get_by_role("link", name="Decided", exact=True).click()
    expect(page.get_by_text("The first one is wrong.")).to_be_visible()
    page.get_by_role("link", name="What is").first.click()
    page.get_by_role("button", name="Revise the decision").click()
    for at, place in enumerate(("1", "1", "2", "3"), start=1):
        page.get_by_label(f"Your own place of completion {at}", exact=True).select_option(place)
    page.get_by_label("My own, from the last column").check()
    page.get_by_label("Why").first.fill("Two of them are as good as each other.")
    page.get_by_role("button", name="Store the revision").click()
    page.get_by_role("link", name="Decided", exact=True).click()
    expect(page.get_by_text("an own order")).to_be_visible()
    page.get_by_role("link", name="What is").first.click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_text("The first one is wrong.")).to_be_visible()
    assert [row.revision for row in Decision.objects.all()] == [2, 1]
