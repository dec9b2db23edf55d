"""Invitations, strangers and a researcher's pages in a real browser."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.labelers import invite
from labeling.labelers.enroll import give_role
from labeling.models import Assignment, Cohort, Labeler, Role, User
from labeling.queue import dispatch
from tests.browser.conftest import log_in
from tests.people import PASSWORD
from tests.work import ranking_work, writing_work

pytestmark = pytest.mark.browser
OFFICE = [
    "round-list", "prompt-list", "prompt-import", "run-list", "dataset-list", "checkpoint-list", "rankings-freeze",
    "exclusion-list", "agreement", "scorecard-list", "finding-list", "adjudication", "adjudication-decided",
    "error-kinds", "screening-list", "survey-list", "timesheet", "queue-rules", "known-list", "known-choose",
]  # fmt: skip


def test_an_invitation_leads_to_ones_own_work(page: Page, admin_user: User) -> None:
    writing_work(1)
    invitation = invite.invite(admin_user, "nina@example.org", Role.LABELER, Cohort.TRAINING)
    page.goto(reverse("labeler-invitation", args=[invitation.token]))
    page.get_by_label("Name").fill("Nina")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Please read this first")).to_be_visible()
    page.get_by_role("link", name="Read and confirm").click()
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("heading", name="What would you like to do?")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    assert Labeler.objects.get(user__email="nina@example.org").cohort == Cohort.TRAINING


def test_a_strangers_address_is_a_404(new_context: Any, labeler: Labeler, second_labeler: Labeler) -> None:
    ranking_work(1)
    lease = dispatch.claim(second_labeler, "rank")
    assert isinstance(lease, Assignment)
    page = new_context().new_page()
    log_in(page, labeler.user)
    for address in (reverse("ranking-submit", args=[lease.pk]), reverse("round-list"), "/labelers/", "/nowhere/"):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 404, address
        expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_a_researcher_or_admin_scrolls_sideways(
    new_context: Any, admin_user: User, labeler: Labeler, width: int
) -> None:
    writing_work(3)
    give_role(admin_user, Role.RESEARCHER)
    page = new_context(viewport={"width": width, "height": 844}).new_page()
    log_in(page, admin_user)
    for name in OFFICE:
        answer = page.goto(reverse(name))
        assert answer is not None and answer.status == 200, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.locator("summary", has_text="People").click()
    expect(page.get_by_role("link", name="Where labelers split")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Topics")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the menu"
    page.goto(reverse("labeler-list"))
    expect(page.get_by_role("rowheader", name=labeler.pseudonym)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
