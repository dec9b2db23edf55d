"""The cockpit in a browser: it is pressed, it says so by itself, and everybody can use it."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from labeling.labelers.enroll import give_role
from labeling.models import Role, Round, User
from labeling.rounds import advance, control
from tests.browser.conftest import log_in
from tests.browser.test_accessibility import EVERYWHERE, check
from tests.labeling.rounds.conftest import make_round
from tests.labeling.rounds.test_advance import stage
from tests.people import make_user
from training.models import Run

pytestmark = pytest.mark.browser


@pytest.fixture
def round_(settings: Any, tmp_path: Any, researcher: User) -> Round:
    settings.ARTIFACT_ROOT = tmp_path
    round_ = make_round(researcher)
    advance.advance(round_.pk)
    return round_


def test_a_round_is_paused_on_one_page_and_another_hears_of_it(page: Page, new_context: Any, round_: Round) -> None:
    other = new_context().new_page()
    for one, who in ((page, round_.created_by), (other, make_user("rolf", Role.RESEARCHER))):
        log_in(one, who)
        one.goto(reverse("round-detail", args=[round_.pk]))
    other.get_by_role("button", name="Pause").click()
    other.get_by_text("The round is paused.").wait_for()
    page.get_by_role("button", name="Resume").wait_for()  # the poll has brought it
    assert "Paused by Rolf" in page.locator("#timeline li").first.inner_text()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("The round goes on from where it was.").wait_for()


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: f"{place[0]}-{place[1]}")
def test_everybody_can_use_it(new_context: Any, round_: Round, place: tuple[int, str]) -> None:
    width, scheme = place
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    give_role(round_.created_by, Role.ADMIN)
    control.set_budget(round_.pk, {"labels": "40", "hours": "2"}, round_.created_by)
    run = stage(round_, "pretrain").run
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state=Run.State.FAILED, error="The disk is full.")
    advance.advance(round_.pk)
    round_.stages.filter(name="gate").update(state="held", note="A person looks at it.")
    log_in(page, round_.created_by)
    here = [reverse(name, args=[round_.pk]) for name in ("round-detail", "round-stop", "round-timeline")]
    check(page, *here, reverse("stage-settings", args=[round_.pk, "pretrain"]), reverse("round-list"))
