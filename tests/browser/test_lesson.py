"""After a teaching item a labeler reads what we chose and why, and goes on by one key."""

import pytest
from playwright.sync_api import Page, expect

from labeling.models import Control, Labeler, User, WorkItem
from labeling.quality import known
from tests.browser.conftest import log_in
from tests.labeling.quality.known import WHY, gold, new_batch, origins

pytestmark = pytest.mark.browser


def test_by_keyboard_through_a_lesson(page: Page, labeler: Labeler, researcher: User) -> None:
    gold(researcher, origins(1)[0], "teaching")
    batch = new_batch(2, gold_share=0.5)
    known.mix_into(batch)
    # The lesson comes first, so that there is a piece to go on to.
    WorkItem.objects.filter(batch=batch, control=Control.TEACHING).update(pos=1)
    log_in(page, labeler.user)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/rank/**")  # and its scripts are there, which the keys are for
    for key in "1234":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What we chose, and why")).to_be_visible()
    expect(page.get_by_text(WHY)).to_be_visible()
    expect(page.get_by_role("button", name="Next one")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rank these 4 answers")).to_be_visible()
    page.go_back()
    expect(page.get_by_text(WHY)).to_be_visible()  # it may be read again
