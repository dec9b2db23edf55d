"""From the invitation through the screening to one's own work, each in a browser of their own."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Invitation, Labeler, Response, ScreeningSet, User
from tests.browser.conftest import log_in
from tests.browser.test_accessibility import violations
from tests.labeling.screening.people import ANSWERS, make_set
from tests.people import PASSWORD
from tests.work import writing_work

pytestmark = pytest.mark.browser


def invite(page: Page) -> str:
    """The admin's invitation as the page makes it; its link."""
    page.goto(reverse("labeler-list"))
    page.get_by_label("E-mail address").fill("carla@example.org")
    page.get_by_label("Open for days").fill("7")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_text("training cohort, screened first")).to_be_visible()
    look(page)
    return page.get_by_label("Link to send").input_value()


def sign_up(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Name").fill("Carla")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Welcome: a few steps first")).to_be_visible()


def at(page: Page, step: int) -> None:
    expect(page.get_by_text(f"Step {step} of 6")).to_be_visible()


def go_on(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Save and go")).click()


def answer(page: Page) -> None:
    """All six steps; she leaves in the middle of a sentence and comes back."""
    page.get_by_role("button", name="Begin").click()
    at(page, 1)
    for flag, said in (("Contains a threat", "Yes"), ("Sexual content", "No"), ("Denigrates a group", "No")):
        page.get_by_role("group", name=flag).get_by_label(said).check()
    go_on(page)
    at(page, 2)
    page.get_by_role("group", name="Contains a threat").get_by_label("No").check()
    go_on(page)
    at(page, 3)
    look(page)
    for text, place in {"one": "1", "two": "2", "three": "3", "four": "4"}.items():
        card = page.get_by_role("listitem").filter(has=page.get_by_text(text, exact=True))
        card.get_by_label("Place").select_option(place)
    go_on(page)
    at(page, 4)
    page.get_by_label("Your answer").fill("No religion is")
    expect(page.locator("#draft-state")).to_contain_text("Saved")
    page.goto(reverse("home"))
    expect(page.get_by_text("3 of 6 steps done")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_label("Your answer")).to_have_value("No religion is")
    page.get_by_label("Your answer").fill(ANSWERS[3]["text"])
    go_on(page)
    at(page, 5)
    page.get_by_label("Your answer").fill(ANSWERS[4]["text"])
    go_on(page)
    at(page, 6)
    page.get_by_label("For which groups").fill(ANSWERS[5]["text"])
    go_on(page)
    expect(page.get_by_text("6 of 6 steps done")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Send it in").click()
    expect(page.get_by_role("heading", name="Thank you, it is sent in")).to_be_visible()


def grade(page: Page, screening_set: ScreeningSet) -> None:
    page.goto(reverse("screening-set", args=[screening_set.pk]))
    page.get_by_role("link", name="Grade", exact=True).click()
    look(page)
    for value in ("6", "7"):
        expect(page.get_by_text("carla", exact=False)).to_have_count(0)
        page.get_by_role("radio", name=value).check()
        page.get_by_role("button", name="Store and go on").click()
    expect(page.get_by_role("heading", name="Nothing waits for your grade")).to_be_visible()


def select(page: Page, screening_set: ScreeningSet) -> None:
    page.goto(reverse("screening-selection", args=[screening_set.pk]))
    expect(page.get_by_text("▲ met")).to_have_count(3)
    look(page)
    expect(page.get_by_text("Carla")).to_have_count(0)
    page.get_by_role("button", name="Select Candidate").click()
    expect(page.get_by_text("is selected and can work now")).to_be_visible()


def look(page: Page) -> None:
    """Nothing scrolls sideways, and axe-core finds nothing."""
    assert violations(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_from_an_invitation_to_ones_own_work(
    new_context: Callable[..., Any], admin_user: User, researcher: User
) -> None:
    """The candidate has a phone. axe-core is a script of its own, which our policy forbids to everybody else."""
    writing_work(1)
    screening_set = make_set(researcher)
    narrow, wide = ({"viewport": {"width": width, "height": 844}, "bypass_csp": True} for width in (390, 1280))
    admin, carla, rosa = (new_context(**place).new_page() for place in (wide, narrow, narrow))
    log_in(admin, admin_user)
    sign_up(carla, invite(admin))
    answer(carla)
    labeler = Labeler.objects.get(user__email="carla@example.org")
    assert labeler.state == "screening"
    log_in(rosa, researcher)
    grade(rosa, screening_set)
    select(admin, screening_set)
    carla.goto(reverse("home"))
    carla.get_by_role("link", name="Read and confirm").click()
    carla.get_by_role("button", name="I have read this").click()
    expect(carla.get_by_role("heading", name="What would you like to do?")).to_be_visible()
    expect(carla.get_by_role("button", name="Start")).to_be_visible()
    admin.goto(reverse("labeler-detail", args=[labeler.pseudonym]))
    expect(admin.get_by_text("Selected in screening “Spring”")).to_be_visible()
    look(admin)
    assert Invitation.objects.get().state == "used"
    assert Response.objects.count() == 6
