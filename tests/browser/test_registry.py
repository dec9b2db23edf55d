"""The registry in a real browser: axe at both widths, and a try whose answers come without a reload."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Try, User
from labeling.registry import playground, serving
from labeling.registry.playground import Settings
from tests.browser import test_accessibility
from tests.browser.conftest import log_in
from tests.labeling.registry.conftest import finish, make_history
from training import storage

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path


def answered(one: Try) -> None:
    folder = storage.run_folder(one.run_id)
    folder.mkdir(parents=True)
    rows = [("policy", "It is water."), ("policy_2", "It is blue.")]
    lines = [
        json.dumps({"policy": policy, "completion": text, "finished": True, "sample": at})
        for at, (policy, text) in enumerate(rows)
    ]
    (folder / "samples.jsonl").write_text("\n".join(lines))
    finish(one.run)


@pytest.mark.parametrize("width, scheme", test_accessibility.EVERYWHERE)
def test_axe_on_every_page(new_context: Any, researcher: User, width: int, scheme: str) -> None:
    history = make_history()
    serving.promote(history.ppo, researcher, "It wins.", None)
    waits = playground.start(researcher, "What is the sea?", [history.sft, history.ppo], Settings())
    blind = playground.start(researcher, "And the sky?", [history.sft, history.ppo], Settings(), blind=True)
    answered(blind)
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    log_in(page, researcher)
    test_accessibility.check(
        page,
        reverse("checkpoint-list"),
        reverse("checkpoint-detail", args=[history.sft.pk]),
        reverse("checkpoint-card", args=[history.reward_model.pk]),
        reverse("labeler-shaped", args=[history.first.pseudonym]),
        reverse("playground"),
        reverse("playground-try", args=[blind.pk]),
    )
    page.goto(reverse("playground-try", args=[waits.pk]))  # it polls: the network is never idle
    assert test_accessibility.violations(page) == []


def test_answers_come_without_a_reload_and_names_when_asked(page: Page, researcher: User) -> None:
    history = make_history()
    log_in(page, researcher)
    page.goto(reverse("playground") + f"?policy={history.sft.pk}")
    page.get_by_label("Prompt").fill("What is the sea?")
    page.get_by_label("Beside it").select_option(label="ppo")
    page.get_by_label("Blind").check()
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("Waiting for the sampler.")).to_be_visible()
    answered(Try.objects.get())
    expect(page.get_by_text("It is water.")).to_be_visible()
    expect(page.get_by_role("heading", name="sft")).to_have_count(0)
    page.get_by_role("button", name="Say which is which").click()
    expect(page.get_by_role("heading", name="sft")).to_be_visible()
    page.get_by_role("link", name="Go on from here").first.click()
    expect(page.get_by_label("The conversation so far")).to_contain_text("It is")


def test_the_picture_is_walked_by_its_links(page: Page, researcher: User) -> None:
    history = make_history()
    log_in(page, researcher)
    page.goto(reverse("checkpoint-detail", args=[history.ppo.pk]))
    page.locator(".lineage a", has_text="sft").click()
    expect(page.get_by_role("heading", name="sft", level=1)).to_be_visible()
    page.get_by_text("The same as a list").click()
    expect(page.locator(".ancestry").first).to_contain_text("Demonstrations")
