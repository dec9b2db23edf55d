"""What the screenshots of the researcher guide share: a page at both widths, and prompts to show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from playwright.sync_api import Page

from labeling.models import UseCase, User
from labeling.prompts import intake
from tests.browser.conftest import log_in
from tests.browser.screenshots import shoot

WIDTHS = [(1280, ""), (390, "-mobile")]
QUESTIONS = [
    "Why is the sea salty?", "Write a haiku about rain.", "Summarize the plot of Hamlet.", "What is a prime number?",
    "Explain photosynthesis to a child.", "List three uses of vinegar.", "Write a thank-you note to a nurse.",
    "Rewrite politely: send me the file.",
]  # fmt: skip
Look = Callable[..., None]


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    caches["reports"].clear()


@pytest.fixture(name="photograph")
def photographer(new_context: Any, researcher: User) -> Look:
    """`photograph(address, name)`: the page at both widths; `before` does something on it first."""

    def take(
        address: str, name: str, *, height: int = 900, widths: int = 2, before: Callable[[Page], Any] | None = None
    ) -> None:
        for width, ending in WIDTHS[:widths]:
            page: Page = new_context(viewport={"width": width, "height": height}).new_page()
            page.set_default_timeout(60_000)
            log_in(page, researcher)
            page.goto(address)
            page.wait_for_timeout(1500)  # Plotly, polls and what comes by itself
            if before:
                before(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than its screen"
            shoot(page, name + ending)

    return take


def scroll_to(selector: str) -> Callable[[Page], Any]:
    return lambda page: page.locator(selector).first.evaluate("one => one.scrollIntoView()")


def take_in_prompts(**counts: int) -> None:
    for split, count in counts.items():
        rows = [
            {
                "prompt": f"{QUESTIONS[at % len(QUESTIONS)]} ({split} {at})",
                "split": split,
                "use_case": UseCase.values[at % 4],
            }
            for at in range(count)
        ]
        intake.take_in(rows, source="prompts-2026.csv")
