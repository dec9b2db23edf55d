"""An admin's way from an invitation to a timesheet, by the links that the pages offer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from labeling.guidelines.acknowledge import acknowledge_all
from labeling.models import ActiveSpan, Assignment, Labeler, Ranking, Rate, ScreeningSet, User
from labeling.screening.grade import grade, to_grade
from tests.browser.conftest import log_in
from tests.browser.test_ranking import numbers
from tests.browser.test_screening import invite, select, sign_up
from tests.labeling.agreement.overlap import rank
from tests.labeling.screening.people import answer_all, make_set
from tests.work import ranking_work

pytestmark = pytest.mark.browser

TEXTS = ("Text one.", "Text two.", "Text three.", "Text four.")
ITEMS = 6  # an interval needs five
OTHERS = [[2, 1, 3, 4], *[[1, 2, 3, 4]] * (ITEMS - 1)]


def people(page: Page, link: str) -> None:
    """By the menu, as a person goes there."""
    page.locator("summary", has_text="People").click()
    page.get_by_role("navigation").get_by_role("link", name=link, exact=True).click()


def screened(candidate: Page, admin: Page, researcher: User, screening_set: ScreeningSet) -> Labeler:
    """From the admin's invitation to the admin's selection (test_screening.py walks what lies between)."""
    sign_up(candidate, invite(admin))
    labeler = Labeler.objects.get(user__email="carla@example.org")
    answer_all(labeler)
    for response in to_grade(researcher, screening_set):
        grade(researcher, response, 7)
    people(admin, "Screening")
    admin.get_by_role("link", name=screening_set.name).first.click()
    admin.get_by_role("link", name="Selection").click()
    select(admin, screening_set)
    return labeler


def publish(page: Page) -> None:
    people(page, "Guidelines")
    page.get_by_role("link", name="Write the next version for training").click()
    page.locator("textarea").fill("# Be kind\n\nThe shortest true answer comes first.")
    page.get_by_role("button", name="Publish version").click()
    expect(page.get_by_text("is out.")).to_be_visible()


def confirm_and_rank(page: Page) -> None:
    """The new version first, then all pieces by keyboard, in the order of TEXTS."""
    page.goto(reverse("home"))
    page.get_by_role("link", name="Read and confirm").click()
    expect(page.get_by_text("The shortest true answer comes first.").last).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    page.get_by_role("button", name="Start").click()
    for _ in range(ITEMS):
        page.wait_for_url("**/rank/**")
        address = page.url
        for number in numbers(page, TEXTS):
            page.keyboard.press(str(number))
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url, before=address: url != before)
    page.wait_for_url("**/work/nothing/rank/")


def worked_three_minutes(labeler: Labeler) -> None:
    """In place of the seconds that the browser took; at 40 an hour that is 2.00."""
    Rate.objects.filter(labeler=labeler).update(since=timezone.now() - timedelta(hours=1))
    ActiveSpan.objects.filter(labeler=labeler).delete()
    done = Assignment.objects.filter(labeler=labeler).latest("ended_at")
    now = timezone.now()
    ActiveSpan.objects.create(labeler=labeler, assignment=done, started_at=now - timedelta(minutes=3), ended_at=now)


def test_from_an_invitation_to_the_timesheet(
    new_context: Callable[..., Any], admin_user: User, researcher: User, second_labeler: Labeler
) -> None:
    screening_set = make_set(researcher)
    admin, carla, rosa = (new_context(bypass_csp=True).new_page() for _ in range(3))
    log_in(admin, admin_user)
    labeler = screened(carla, admin, researcher, screening_set)

    log_in(rosa, researcher)
    publish(rosa)
    ranking_work(ITEMS, need=2, texts=TEXTS)
    other = acknowledge_all(Labeler.objects.get(pk=second_labeler.pk))
    for places in OTHERS:
        rank(other, places)
    confirm_and_rank(carla)
    assert {made.guideline.version for made in Ranking.objects.all()} == {2}

    # 35 of 36 pairs are ordered alike.
    people(admin, "Agreement")
    overall = admin.get_by_role("row").filter(has_text="ties excluded").first
    expect(overall).to_contain_text("97.2")
    people(admin, "Scorecards")
    admin.get_by_role("link", name=labeler.pseudonym).click()
    expect(admin.get_by_role("heading", name=labeler.pseudonym)).to_be_visible()
    expect(admin.get_by_role("row").filter(has_text="With the others").first).to_contain_text("97.2")
    expect(admin.get_by_text("None yet: this labeler has ranked no gold item")).to_be_visible()

    admin.get_by_role("link", name="The person’s page").click()
    admin.get_by_label("Reason").fill("We talk first.")
    admin.get_by_role("button", name="Pause").click()
    expect(admin.get_by_text("is paused. What they held")).to_be_visible()
    expect(admin.get_by_role("row").filter(has_text="We talk first.")).to_contain_text("Ada")
    carla.goto(reverse("home"))
    expect(carla.get_by_text("Your work is paused for now")).to_be_visible()
    expect(carla.get_by_text("We talk first.")).to_have_count(0)

    admin.get_by_role("link", name="Change it in the list").click()
    row = admin.locator(f"#{labeler.pseudonym}")
    row.locator("summary").click()
    row.get_by_label("Per hour").fill("40")
    row.get_by_role("button", name="Save").click()
    worked_three_minutes(labeler)
    row.get_by_role("link", name="Open").click()
    admin.get_by_role("link", name="Timesheet").click()
    expect(admin.get_by_role("row").last).to_contain_text("0:03:00")
    expect(admin.get_by_role("row").last).to_contain_text("2.00")
    people(admin, "Time and pay")
    expect(admin.get_by_role("row").filter(has_text=labeler.pseudonym)).to_contain_text("2.00")
