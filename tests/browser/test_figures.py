"""The pages of figures: their plots are drawn without a complaint, lead where they say, and anybody can read them."""

import json
import math
import random
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Cohort, Kind, Labeler, Role, User
from labeling.queue import dispatch
from labeling.rankings.remarks import Remarks
from labeling.reward_models import scoring
from tests.browser.conftest import log_in
from tests.browser.test_accessibility import violations
from tests.labeling.agreement.overlap import rank
from tests.labeling.figures.world import judge, judgement, make_line, prompts
from tests.labeling.reward_models.conftest import TEXTS, finish
from tests.people import make_labeler, make_user
from tests.work import make_batch, make_completions, make_sampling_run
from training import storage
from training.models import Checkpoint, Dataset, Run, RunInput, RunParent

pytestmark = pytest.mark.browser


@pytest.fixture
def lines(settings: Any, tmp_path: Any) -> list[dict[str, Checkpoint]]:
    settings.ARTIFACT_ROOT = tmp_path
    return [make_line(40, "small "), make_line(150, "large ")]


def evaluate(policy: Checkpoint, start: Checkpoint, texts: Dataset, **result: float) -> None:
    run = Run.objects.create(recipe="evaluate", name="e", spec={}, seed=1, state=Run.State.DONE, result=result)
    RunInput.objects.create(run=run, name="texts", dataset=texts)
    RunParent.objects.create(run=run, role="policy", checkpoint=policy)
    RunParent.objects.create(run=run, role="reference", checkpoint=start)


def write_metrics(run: Run) -> None:
    rng, path = random.Random(4), storage.run_folder(run.pk) / "metrics.jsonl"
    with path.open("w") as out:
        for step in range(1, 121):
            d = 4 * step / 120
            row = {"step": step, "objective/kl": d * d, "objective/scores": 1 + d * (0.9 - 0.1 * math.log(d))}
            row["objective/scores"] += rng.gauss(0, 0.03)
            row["objective/score_spread"] = 0.1 + 0.3 * d * (0.5 + math.log(d)) + rng.gauss(0, 0.02)
            out.write(json.dumps(row) + "\n")


@pytest.fixture
def judged(lines: list[dict[str, Checkpoint]], held_out_labeler: Labeler) -> None:
    """Two sizes, judged by held-out and by training labelers; evaluations; a PPO run's metrics."""
    rng, training = random.Random(1), make_labeler("tara")
    texts = Dataset.objects.create(kind="texts", sha256="a" * 64, path="datasets/texts-a.jsonl", rows=2)
    for line, better in zip(lines, (0.3, 0.9), strict=True):
        policies = [line[name] for name in ("base", "sft", "ppo", "ppo_ptx")]
        for labeler, cohort in ((held_out_labeler, Cohort.HELD_OUT), (training, Cohort.TRAINING)):
            judgement(policies, prompts(8), cohort=cohort)
            for _ in range(8):
                utility = [rng.gauss(better * at, 1) for at in range(4)]
                order = sorted(range(4), key=lambda at: -utility[at])
                flags = {at + 1: ["hallucination"] for at in range(4) if rng.random() < 0.5 - 0.1 * at}
                ratings = {at + 1: min(7, max(1, round(3 + at + rng.gauss(0, 1)))) for at in range(4)}
                judge(labeler, [[order.index(at) + 1 for at in range(4)]], Remarks(ratings=ratings, flags=flags))
        for name, loss, f1 in (("base", 2.0, 0.7), ("sft", 2.2, 0.66), ("ppo", 2.6, 0.52), ("ppo_ptx", 2.1, 0.7)):
            figures = {"lm_loss": loss, "squad/f1": f1, "squad/f1_stderr": 0.02, "kl": 6.0}
            evaluate(line[name], line["sft"], texts, **figures)
        assert line["ppo"].run
        write_metrics(line["ppo"].run)


@pytest.fixture
def scored(lines: list[dict[str, Checkpoint]], held_out_labeler: Labeler) -> Checkpoint:
    """Validation rankings by two labelers, scored by a model that likes length."""
    rng, proxy = random.Random(2), lines[0]["proxy"]
    batch, run = make_batch(Kind.RANK, Cohort.HELD_OUT), make_sampling_run("to rank")
    asked = prompts(10, "valid")
    dispatch.add_ranking_items(batch, [(prompt, make_completions(run, prompt, TEXTS)) for prompt in asked], need=2)
    for person in (held_out_labeler, make_labeler("hugo", Cohort.HELD_OUT)):
        for _ in asked:
            utility = [rng.gauss(-0.4 * at, 1) for at in range(4)]
            order = sorted(range(4), key=lambda at: -utility[at])
            rank(person, [order.index(at) + 1 for at in range(4)])
    finish(
        scoring.score(proxy), lambda row: (len(row["completion"]) / 10 + rng.gauss(0, 0.4), 0.1 + 0.3 * rng.random())
    )
    return proxy


@pytest.fixture
def researcher_page(page: Page) -> Page:
    log_in(page, make_user("rosa", Role.RESEARCHER))
    page.set_default_timeout(30_000)  # Plotly, and a thousand draws behind each figure
    return page


def test_the_plots_are_drawn_and_a_point_leads_to_its_judgements(researcher_page: Page, judged: None) -> None:
    page = researcher_page
    page.goto(reverse("figures"))
    for name in ("preference", "cohorts", "flags", "ratings"):
        expect(page.locator(f"#{name}-plot .scatterlayer .point").first).to_be_visible()
    expect(page.locator("#tax-plots .plot")).to_have_count(4)  # two lines, two figures each
    point = page.locator("#preference-plot .scatterlayer .point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#preference-plot .hoverlayer .hovertext")).to_be_visible()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Judgements of")


def test_the_monitor_draws_reward_spread_people_and_where_to_stop(
    researcher_page: Page, judged: None, lines: list[dict[str, Checkpoint]]
) -> None:
    page = researcher_page
    page.goto(reverse("overoptimization", args=[lines[0]["ppo"].run_id]))
    legend = page.locator("#overopt-plot .legend")
    for name in ("proxy reward", "spread of the heads", "people’s preference", "proxy, fitted"):
        expect(legend.get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator("#overopt-plot .annotation")).to_have_text("stop, by the spread")


def test_a_reward_models_page_is_drawn_and_its_work_list_takes_a_word(
    researcher_page: Page, scored: Checkpoint
) -> None:
    page = researcher_page
    page.goto(reverse("reward-model", args=[scored.pk]))
    for name in ("calibration", "bias"):
        expect(page.locator(f"#{name}-plot .scatterlayer .point").first).to_be_visible()
    page.get_by_role("link", name="Contradictions").first.click()
    first = page.locator("article").first
    said = first.get_attribute("id")
    first.get_by_role("button", name="The model is wrong").click()
    expect(page.locator(f"#{said}")).to_have_count(0)
    page.get_by_label("What was said").select_option("model")
    page.get_by_role("button", name="Show").click()
    page.locator(f"#{said}").get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Nothing fits this choice")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_anybody_can_read_them(
    width: int, scheme: str, new_context: Any, judged: None, scored: Checkpoint, lines: list[dict[str, Checkpoint]],
    admin_user: User,
) -> None:  # fmt: skip
    context = new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    log_in(page, make_user("rosa", Role.RESEARCHER))
    ppo = lines[0]["ppo"]
    for address in (
        reverse("figures"),
        f"{reverse('figure-items')}?policy={ppo.pk}",
        reverse("overoptimization", args=[ppo.run_id]),
        reverse("reward-model-list"),
        reverse("reward-model", args=[scored.pk]),
        reverse("contradictions", args=[scored.pk]),
    ):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
