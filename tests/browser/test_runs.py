"""A researcher looks at a run's curves, on a wide and on a narrow screen."""

import json

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import User
from tests.browser.conftest import log_in
from training import storage
from training.models import Run

pytestmark = pytest.mark.browser


def run_with(rows: list[dict[str, float]]) -> Run:
    run = Run.objects.create(recipe="ppo", name="a run", spec={}, seed=1, state=Run.State.DONE)
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run


def test_curves_are_drawn_and_the_rest_waits_behind_more(page: Page, researcher: User) -> None:
    rows = [{"step": step, "objective/kl": step / 10, "policy/grad_norm": 1.0 / step} for step in (1, 2, 3)]
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with(rows).pk]))
    expect(page.locator("#curves").get_by_role("heading", name="objective/kl")).to_be_visible()
    assert page.locator("#curves .scatterlayer path.js-line").count() == 1
    expect(page.get_by_role("heading", name="policy/grad_norm")).to_be_hidden()
    page.get_by_text("More curves").click()
    expect(page.get_by_role("heading", name="policy/grad_norm")).to_be_visible()


def test_a_run_whose_curves_all_have_names_of_their_own_shows_them(page: Page, researcher: User) -> None:
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with([{"step": 1, "my/own": 1.0}, {"step": 2, "my/own": 2.0}]).pk]))
    expect(page.locator("#curves").get_by_role("heading", name="my/own")).to_be_visible()
    expect(page.get_by_text("More curves")).to_have_count(0)


def test_a_run_that_measured_once_says_so(page: Page, researcher: User) -> None:
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with([{"step": 0, "eval/kl": 0.5, "eval/reward": 1.5}]).pk]))
    expect(page.get_by_text("This run measured once: its values stand above.")).to_be_visible()
    expect(page.get_by_text("More curves")).to_have_count(0)


def test_a_run_without_numbers_says_so(page: Page, researcher: User) -> None:
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with([]).pk]))
    expect(page.get_by_text("This run wrote no metrics.")).to_be_visible()
