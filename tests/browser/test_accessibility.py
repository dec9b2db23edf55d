"""axe-core on every page, at both widths, in both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from labeling.adjudication import decide as adjudicate
from labeling.guidelines.publish import current
from labeling.labelers import invite
from labeling.labelers.enroll import give_role
from labeling.models import Assignment, Cohort, Kind, Labeler, Purpose, Role, User
from labeling.quality.answer import answer
from labeling.queue import dispatch
from labeling.rankings.submit import submit
from labeling.surveys import hold
from labeling.threads import talk
from tests.browser.conftest import log_in
from tests.labeling.agreement.overlap import ranked_by
from tests.labeling.screening.people import answer_all, make_candidate, make_set
from tests.work import proposing_work, ranking_work, writing_work

pytestmark = pytest.mark.browser

# Layout goes by the width and contrast by the theme, so two of the four combinations meet all of both.
EVERYWHERE = [(390, "dark"), (1280, "light")]
OFFICE = [
    "round-new", "round-compare", "text-import", "base-import",
    "home", "round-list", "run-list", "dataset-list", "checkpoint-list", "prompt-list", "prompt-import",
    "proposal-list", "held-list", "guideline-list", "rubric-list", "topic-list", "thread-list",
    "labeler-list", "account_change_password", "agreement", "agreement-items", "survey-list", "timesheet",
    "queue-rules", "known-list", "known-choose", "rankings-freeze", "exclusion-list",
    "judgement-list", "judgement-open",
]  # fmt: skip


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


@pytest.fixture(params=EVERYWHERE, ids=lambda place: f"{place[0]}-{place[1]}")
def page(request: pytest.FixtureRequest, new_context: Any) -> Page:
    width, scheme = request.param
    # axe-core is put into the page as a script of its own, which our policy forbids to everybody else.
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    return context.new_page()


def check(page: Page, *addresses: str) -> None:
    found: dict[str, list[str]] = {}
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        if wrong := violations(page):
            found[address] = wrong
        assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth"), address
    assert found == {}


def test_pages_of_a_labeler(page: Page, labeler: Labeler, researcher: User) -> None:
    claim: Callable[[Kind], Assignment | None] = lambda kind: dispatch.claim(labeler, kind)  # noqa: E731
    ranking_work(2, texts=("one **a**", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    writing_work(1, start=20)
    proposing_work()
    done, writing, proposing = claim(Kind.RANK), claim(Kind.DEMONSTRATE), claim(Kind.PROPOSE)
    assert done and writing and proposing
    submit(labeler, done.pk, {number: 1 + number // 2 for number in range(1, 10)})
    ranking = claim(Kind.RANK)
    assert ranking
    thread = talk.ask(labeler, "Is a tie fine here?", ranking.item)
    talk.announce(researcher, "A holiday", "No new work on Monday.")
    log_in(page, labeler.user)
    check(
        page,
        reverse("home"),
        reverse("ranking-submit", args=[ranking.pk]),
        reverse("ranking-submit", args=[ranking.pk]) + "?texts=markdown",
        reverse("ranking-submit", args=[done.pk]),
        reverse("demonstration-write", args=[writing.pk]),
        reverse("proposal-write", args=[proposing.pk]),
        reverse("queue-nothing", args=["demonstrate"]),
        reverse("work-recent"),
        reverse("thread-list"),
        reverse("thread-detail", args=[thread.pk]),
        reverse("guideline-read", args=[current(Purpose.TRAINING).pk]),
        reverse("topic-choose"),
        reverse("my-hours"),
        reverse("my-data"),
        reverse("my-surveys"),
        reverse("survey-answer", args=[hold.open_survey(researcher, "demographics", "Who are you?").pk]),
    )


def test_what_opens_on_the_ranking_page(page: Page, labeler: Labeler) -> None:
    ranking_work(1, texts=("one", "two", "three", "four"))
    lease = dispatch.claim(labeler, Kind.RANK)
    assert lease
    log_in(page, labeler.user)
    page.goto(reverse("ranking-submit", args=[lease.pk]))
    for keys in (["1", "Shift+Digit2", "q", "d", "i"], ["c"], ["Escape", "?"], ["Escape", "x"]):
        for key in keys:
            page.keyboard.press(key)
        assert violations(page) == [], keys


def test_pages_of_researchers_and_admins(page: Page, admin_user: User, labeler: Labeler) -> None:
    give_role(admin_user, Role.RESEARCHER)
    writing_work(3)
    batch = ranking_work(2)
    survey = hold.open_survey(admin_user, "satisfaction", "How is it?")
    answer(admin_user, batch.items.earliest("pk"), {1: 1, 2: 2, 3: 3, 4: 4}, "So it is.", "teaching")
    log_in(page, admin_user)
    page.locator("summary", has_text="People").click()
    assert violations(page) == [], "the menu"
    check(
        page,
        *(reverse(name) for name in OFFICE),
        reverse("batch-detail", args=[batch.pk]),
        reverse("batch-settings", args=[batch.pk]),
        reverse("gold-answer", args=[batch.items.latest("pk").pk]),
        reverse("guideline-publish", args=["training"]),
        reverse("survey-results", args=[survey.pk]),
        reverse("labeler-detail", args=[labeler.pseudonym]),
        reverse("labeler-timesheet", args=[labeler.pseudonym]),
        reverse("labeler-data", args=[labeler.pseudonym]),
    )


def test_pages_of_agreement(page: Page, admin_user: User, labeler: Labeler, second_labeler: Labeler) -> None:
    batch = ranking_work(2, need=2)
    ranked_by(batch, (labeler, [[1, 2, 3, 4]] * 2), (second_labeler, [[4, 3, 2, 1], [1, 1, 2, 3]]))
    first, second = batch.items.order_by("pk")
    adjudicate.take(admin_user, first)
    adjudicate.take(admin_user, second)
    adjudicate.decide(
        admin_user, second, base=0, reason="Both are good.", errors=["taste"],
        ranking=second.rankings.earliest("pk").pk,
    )  # fmt: skip
    log_in(page, admin_user)
    check(
        page,
        reverse("agreement"),
        reverse("agreement-items") + f"?labeler={labeler}&other={second_labeler}&batch={batch.pk}",
        reverse("agreement-item", args=[first.pk]),
        reverse("scorecard-list"),
        reverse("scorecard", args=[labeler.pseudonym]),
        reverse("scorecard-items", args=[labeler.pseudonym]) + "?by=first",
        reverse("finding-list"),
        reverse("adjudication"),
        reverse("adjudication-item", args=[first.pk]),
        reverse("adjudication-item", args=[second.pk]),
        reverse("adjudication-decided"),
    )


def test_pages_of_screening(page: Page, admin_user: User, researcher: User) -> None:
    screening_set = make_set(researcher)
    answer_all(make_candidate())
    log_in(page, admin_user)
    check(
        page,
        *(reverse(name, args=[screening_set.pk]) for name in ("screening-set", "screening-selection")),
        reverse("screening-list"),
    )


def test_pages_before_the_door(page: Page, admin_user: User) -> None:
    invitation = invite.invite(admin_user, "nina@example.org", Role.LABELER, Cohort.TRAINING)
    check(
        page,
        reverse("account_login"),
        reverse("account_reset_password"),
        reverse("labeler-invitation", args=[invitation.token]),
        "/nowhere/",
    )
