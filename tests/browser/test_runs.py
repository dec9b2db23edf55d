"""A researcher watches a run, looks closely at its curves, stops it, and compares runs."""

import json
import re
import time
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import User
from tests.browser.conftest import log_in
from tests.browser.test_accessibility import violations
from training import storage
from training.models import Run
from training.runs import control

pytestmark = pytest.mark.browser


def run_with(rows: list[dict[str, Any]], **fields: Any) -> Run:
    values: dict[str, Any] = {"recipe": "ppo", "name": "a run", "spec": {}, "seed": 1, "state": Run.State.DONE}
    run = Run.objects.create(**{**values, **fields})
    storage.run_folder(run.pk).mkdir(parents=True)
    add(run, rows)
    return run


def add(run: Run, rows: list[dict[str, Any]], file: str = "metrics.jsonl") -> None:
    with (storage.run_folder(run.pk) / file).open("a") as out:
        out.write("".join(json.dumps(row) + "\n" for row in rows))


def kl(steps: range) -> list[dict[str, Any]]:
    return [{"step": step, "time": 60.0 * step, "objective/kl": step / 10} for step in steps]


def wait_for(page: Page, condition: str, seconds: float = 30) -> None:
    """Asked again and again from here: the pages' own policy lets Playwright's waiting script not run."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def plotted(page: Page, title: str, trace: int = 0, axis: str = "x") -> list[float]:
    """What Plotly was given to draw."""
    figure = page.locator("section.plot", has=page.get_by_role("heading", name=title, exact=True))
    area = figure.locator(".plot-area")
    return list(area.evaluate("(area, [trace, axis]) => [...area.data[trace][axis]]", [trace, axis]))


def test_curves_are_drawn_and_the_rest_waits_behind_more(page: Page, researcher: User) -> None:
    rows = [{"step": step, "objective/kl": step / 10, "my/own": 1.0 / step} for step in (1, 2, 3)]
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with(rows).pk]))
    expect(page.locator("#curves").get_by_role("heading", name="KL")).to_be_visible()
    assert page.locator("#curves .scatterlayer path.js-line").count() == 1
    expect(page.get_by_role("heading", name="my/own")).to_be_hidden()
    page.get_by_text("More curves").click()
    expect(page.get_by_role("heading", name="my/own")).to_be_visible()


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


def test_a_live_page_grows_and_begins_anew_where_the_file_was_cut(page: Page, researcher: User) -> None:
    run = run_with(kl(range(1, 6)), state=Run.State.RUNNING)
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run.pk]))
    expect(page.get_by_role("heading", name="KL")).to_be_visible()
    add(run, kl(range(6, 9)))
    add(run, [{"step": 8, "prompt": "Say it.", "completion": "<b>New</b>", "score": 0.5}], "samples.jsonl")
    wait_for(page, "document.querySelector('.plot-area')?.data?.[0].x.length === 8")
    expect(page.get_by_role("cell", name="<b>New</b>")).to_be_visible(timeout=10_000)
    (storage.run_folder(run.pk) / "metrics.jsonl").write_text("")
    add(run, [row | {"objective/kl": 9.0} for row in kl(range(1, 12))])
    wait_for(page, "document.querySelector('.plot-area')?.data?.[0].x.length === 11")
    assert plotted(page, "KL", axis="y") == [9.0] * 11


def test_a_closer_look_has_more_detail_and_the_whole_comes_back(page: Page, researcher: User) -> None:
    """Of 3,000 points the overview has a third at most; of a range of a hundred, all."""
    run = run_with([row | {"objective/kl": float(row["step"] % 17)} for row in kl(range(1, 3001))])
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run.pk]))
    expect(page.get_by_role("heading", name="KL")).to_be_visible()
    wait_for(page, "document.querySelector('.plot-area')?.data?.[0].x.length > 100")
    assert len(plotted(page, "KL")) <= 1202
    page.evaluate(
        "Plotly.relayout(document.querySelector('.plot-area'), {'xaxis.range[0]': 1000, 'xaxis.range[1]': 1099})"
    )
    page.get_by_role("button", name="Whole range").wait_for()
    assert plotted(page, "KL") == list(range(999, 1101))
    page.get_by_role("button", name="Whole range").click()
    wait_for(page, "document.querySelector('.plot-area')?.data?.[0].x.at(-1) === 3000")
    page.get_by_label("Smoothing").fill("0.9")
    wait_for(page, "document.querySelector('.plot-area')?.data?.length === 2")
    assert page.locator(".plot-area").first.evaluate("area => area.data[0].opacity") == 0.25
    page.get_by_label("Along").select_option("minutes")
    wait_for(page, "document.querySelector('.plot-area')?.data?.[0].x.at(-1) === 2999")
    page.get_by_label("Scale").select_option("log")
    assert page.locator(".plot-area").first.evaluate("area => area.layout.yaxis.type") == "log"


def test_a_smoothed_curve_goes_on_as_the_server_began_it(page: Page, researcher: User) -> None:
    run = run_with(kl(range(1, 6)), state=Run.State.RUNNING)
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run.pk]))
    page.get_by_label("Smoothing").fill("0.5")
    wait_for(page, "document.querySelector('.plot-area')?.data?.length === 2")
    add(run, kl(range(6, 9)))
    wait_for(page, "document.querySelector('.plot-area')?.data?.[1].x.length === 8")
    grown = plotted(page, "KL", trace=1, axis="y")
    page.reload()
    page.get_by_label("Smoothing").fill("0.5")
    wait_for(page, "document.querySelector('.plot-area')?.data?.length === 2")
    assert plotted(page, "KL", trace=1, axis="y") == pytest.approx(grown, rel=1e-5)


def test_a_warning_leads_to_its_step_in_the_plot(page: Page, researcher: User) -> None:
    warning = {"name": "kl_runaway", "title": "KL runs away", "sentence": "It is 31 nats.", "step": 4,
               "curve": "objective/kl", "advice": "Stop it.", "source": "Gao et al. 2023"}  # fmt: skip
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run_with(kl(range(1, 9)), warnings=[warning]).pk]))
    expect(page.get_by_role("heading", name="KL", exact=True)).to_be_visible()
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".plot.shown h3")).to_have_text("KL")
    assert page.locator(".plot.shown .plot-area").evaluate("area => area.layout.shapes[0].x0") == 4
    assert violations(page) == []


def test_a_run_is_stopped_and_resumed_by_buttons_that_come_by_themselves(page: Page, researcher: User) -> None:
    run = run_with(kl(range(1, 3)), state=Run.State.QUEUED)
    log_in(page, researcher)
    page.goto(reverse("run-detail", args=[run.pk]))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state .badge")).to_have_text("Stopped")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#state .badge")).to_have_text("Queued")
    control.stop(run)  # by somebody else
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_label("kl_coef", exact=True)).to_have_value("0.02")
    assert violations(page) == []
    page.get_by_label("kl_coef", exact=True).fill("0.1")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("kl_coef")).to_contain_text(["→ 0.100"])


def test_runs_are_ticked_in_the_list_and_lie_over_each_other(page: Page, researcher: User) -> None:
    for name, lr in (("one", 0.1), ("two", 0.2)):
        run_with(kl(range(1, 5)), name=name, spec={"lr": lr})
    log_in(page, researcher)
    page.goto(reverse("run-list"))
    for name in ("one", "two"):
        page.get_by_label(re.compile(f"Compare {name} of")).check()
    assert violations(page) == []
    page.get_by_role("button", name="Compare the ticked runs").click()
    expect(page.get_by_role("heading", name="objective/kl")).to_be_visible()
    assert page.locator(".plot-area").first.evaluate("area => area.data.map((line) => line.name).sort()") == [
        "one",
        "two",
    ]
    expect(page.get_by_role("row", name="lr 0.200 0.100")).to_be_visible()
    assert violations(page) == []
