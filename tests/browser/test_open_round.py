"""The form that opens a round, with a mouse: it says at once what would be, and a double click opens one round."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Round, User
from tests.browser.conftest import log_in
from tests.labeling.rounds.test_open_form import make_project

pytestmark = pytest.mark.browser


def test_a_round_is_opened(page: Page, researcher: User, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    make_project()
    log_in(page, researcher)
    page.goto(reverse("round-new") + "?preset=toy")
    dry_run = page.locator("#dry-run")
    expect(dry_run).to_contain_text("Labeling")  # it has come by itself
    # What the chosen course has no use for is out of sight; what is folded opens.
    expect(page.get_by_label("To demonstrate")).to_be_visible()
    page.get_by_text("Judge existing policies only").click()
    expect(page.get_by_label("To demonstrate")).to_be_hidden()
    expect(dry_run).to_contain_text("0 policies are up for judgement")
    page.get_by_text("The full loop").click()
    page.locator("summary", has_text="What labelers do").click()
    page.get_by_label("Completions per ranking (K)").fill("3")
    page.keyboard.press("Tab")
    expect(dry_run).to_contain_text("K is 3; a labeler ranks 4 to 9 completions.")
    assert not Round.objects.exists()
    page.get_by_label("Completions per ranking (K)").fill("4")
    page.get_by_role("button", name="Open the round").dblclick()
    page.wait_for_url("**/rounds/*/")
    assert Round.objects.count() == 1
