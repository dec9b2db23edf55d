"""`make screenshots`: the pages that the guides in docs/ show, into docs/screenshots/. Not a part of the suite."""

import os
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from labeling.labelers.enroll import give_role
from labeling.models import Assignment, Batch, Kind, Labeler, Prompt, Ranking, Role, Split, UseCase, User, WorkItem
from labeling.prompts import intake
from labeling.quality import drift, known
from labeling.quality.answer import answer, shown
from labeling.queue import dispatch
from labeling.queue.settings import Settings
from labeling.rankings.remarks import Remarks
from labeling.screening.grade import grade, to_grade
from labeling.surveys import hold
from labeling.threads import talk
from tests.browser.conftest import log_in
from tests.labeling.agreement.overlap import rank
from tests.labeling.screening.people import ANSWERS as CANDIDATE
from tests.labeling.screening.people import answer_all, make_candidate, make_set
from tests.people import make_labeler
from tests.work import make_batch, make_completions, make_sampling_run

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
PROMPT = "Explain to a ten-year-old why the sea is salty. Use at most three sentences."
ANSWERS = [
    "Rain wears tiny bits of salt off rocks, and rivers carry them to the sea. The sun turns water into clouds, but "
    "the salt stays behind. After millions of years of this, the sea tastes salty!",
    "Rivers bring salt from rocks to the sea. The water dries up into the sky and the salt stays.",
    "The sea is salty because fish pee in it. Whales add the most, about 970 litres a day, which is why the sea is "
    "saltier than rivers.",
    "Great question! The salinity of sea water is attributable to the dissolution of ions, chiefly sodium and "
    "chloride, through the weathering of continental rocks, and to hydrothermal vents along the mid-ocean ridges.",
    "Salt comes from rocks. Rain washes it into rivers. Rivers flow into the sea. Then the sun dries the water. The "
    "salt stays there. So it gets saltier and saltier.",
    "The sea is salty, because there is salt in the sea.",
    "Imagine a bathtub that never drains: rivers keep pouring in water with a pinch of salt from the rocks. Only clean "
    "water leaves, as clouds. So the pinches add up, and the sea gets salty.",
    "I do not know.",
    "Because of volcanoes",
]


def prompt(text: str = PROMPT, use_case: str = UseCase.GENERATION) -> Prompt:
    intake.take_in([{"prompt": text, "use_case": use_case, "split": Split.TRAIN}], source="prompts.csv")
    return Prompt.objects.get(text=text)


def to_rank(k: int) -> Batch:
    batch = make_batch(Kind.RANK)
    asked = prompt()
    dispatch.add_ranking_items(batch, [(asked, make_completions(make_sampling_run(), asked, ANSWERS[:k]))], need=3)
    return batch


def claimed(labeler: Labeler, kind: Kind) -> Assignment:
    assignment = dispatch.claim(labeler, kind)
    assert assignment is not None
    return assignment


def page_of(new_context: Any, labeler: Labeler, *, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
    page: Page = new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    log_in(page, labeler.user)
    return page


def shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    FOLDER.mkdir(exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png")


def rank_a_little(page: Page, lease: Assignment) -> None:
    """As in the middle of the work: two rated, one flagged, three placed with a tie."""
    page.goto(reverse("ranking-submit", args=[lease.pk]))
    for key in ("t", "d", "w", "1", "2", "Shift+Digit3"):
        page.keyboard.press(key)
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize(
    ("name", "k", "width", "scheme"),
    [
        ("ranking-k4", 4, 1280, "light"),
        ("ranking-k4-dark", 4, 1280, "dark"),
        ("ranking-k4-mobile", 4, 390, "light"),
        ("ranking-k9", 9, 1280, "light"),
    ],
)
def test_ranking(new_context: Any, labeler: Labeler, name: str, k: int, width: int, scheme: str) -> None:
    to_rank(k)
    page = page_of(new_context, labeler, width=width, height=1500 if k == 9 else 900, scheme=scheme)
    rank_a_little(page, claimed(labeler, Kind.RANK))
    shoot(page, name)


def test_what_opens_while_ranking(new_context: Any, labeler: Labeler) -> None:
    to_rank(4)
    page = page_of(new_context, labeler)
    rank_a_little(page, claimed(labeler, Kind.RANK))
    page.keyboard.press("c")
    shoot(page, "compare")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    shoot(page, "keys")


def test_writing(new_context: Any, labeler: Labeler) -> None:
    batch = make_batch(Kind.DEMONSTRATE)
    dispatch.add_demonstration_items(batch, [prompt()])
    lease = claimed(labeler, Kind.DEMONSTRATE)
    for width, name in ((1280, "writing"), (390, "writing-mobile")):
        page = page_of(new_context, labeler, width=width)
        page.goto(reverse("demonstration-write", args=[lease.pk]))
        page.get_by_label("Your demonstration").fill(ANSWERS[0][:118])
        page.wait_for_timeout(2500)  # saved
        shoot(page, name)


def test_home(new_context: Any, labeler: Labeler, researcher: User) -> None:
    to_rank(4)
    dispatch.add_demonstration_items(make_batch(Kind.DEMONSTRATE), [prompt("Write a haiku about rain.")])
    labeler.hourly_rate = 24
    labeler.save()
    talk.announce(researcher, "Office hours", "Ask us anything on Thursday at 15:00.")
    for width, name in ((1280, "home"), (390, "home-mobile")):
        page = page_of(new_context, labeler, width=width)
        page.goto("/")
        shoot(page, name)


def test_nothing_to_do(new_context: Any, labeler: Labeler, second_labeler: Labeler) -> None:
    batch = make_batch(Kind.DEMONSTRATE)
    dispatch.add_demonstration_items(batch, [prompt()])
    claimed(second_labeler, Kind.DEMONSTRATE)  # somebody else holds the only piece
    page = page_of(new_context, labeler)
    page.goto(reverse("queue-nothing", args=["demonstrate"]))
    shoot(page, "nothing-to-do")


def test_last_pieces(new_context: Any, labeler: Labeler) -> None:
    from labeling.rankings.submit import submit

    to_rank(4)
    submit(labeler, claimed(labeler, Kind.RANK).pk, {1: 1, 2: 2, 3: 2, 4: 3})
    page = page_of(new_context, labeler)
    page.goto(reverse("work-recent"))
    shoot(page, "last-pieces")


def test_agreement(new_context: Any, researcher: User) -> None:
    """Eight labelers, one of whom places at random; five of them on each of forty prompts."""
    dice = random.Random(1)
    people = [make_labeler(f"labeler-{number}") for number in range(8)]
    for number in range(40):
        batch, asked = make_batch(Kind.RANK), prompt(f"Question {number}: {PROMPT}", dice.choice(UseCase.values))
        made = make_completions(make_sampling_run(f"sample {number}"), asked, ANSWERS[:5])
        dispatch.add_ranking_items(batch, [(asked, made)], need=5)
        for person in sorted(dice.sample(people, 5), key=lambda one: one.pk):
            noise = 9.0 if person == people[0] else 1.0
            seen = [quality + noise * dice.gauss(0, 1) for quality in (2.0, 1.0, -2.0, 0.0, 0.5)]
            flags = {3: ["hallucination"]} if dice.random() < 0.8 else {}
            ratings = {at: min(7, max(1, round(4 + one))) for at, one in enumerate(seen, start=1)}
            rank(person, [1 + sum(one < other - 0.4 for other in seen) for one in seen], Remarks(ratings, flags))
    known_items(researcher, people)
    for width, name in ((1280, "agreement"), (390, "agreement-mobile")):
        page: Page = new_context(viewport={"width": width, "height": 1000}).new_page()
        page.set_default_timeout(60_000)
        log_in(page, researcher)
        page.goto(reverse("agreement"))
        shoot(page, name)
        page.evaluate("document.getElementById('pairs-title').scrollIntoView()")
        shoot(page, name.replace("agreement", "agreement-matrix"))
        page.goto(reverse("scorecard-list"))
        shoot(page, name.replace("agreement", "scorecards"))
        page.goto(reverse("scorecard", args=[people[0].pseudonym]))
        shoot(page, name.replace("agreement", "scorecard"))
        page.evaluate("document.getElementById('position-title').scrollIntoView()")
        shoot(page, name.replace("agreement", "scorecard-habits"))
        page.evaluate("document.getElementById('answers-title').scrollIntoView()")
        shoot(page, name.replace("agreement", "scorecard-known"))
        page.goto(reverse("finding-list"))
        shoot(page, name.replace("agreement", "findings"))
        page.goto(reverse("adjudication"))
        shoot(page, name.replace("agreement", "adjudication-queue"))
        page.get_by_role("row").nth(1).get_by_role("link").first.click()
        if page.get_by_role("button", name="Take this item").count():
            page.get_by_role("button", name="Take this item").click()
        shoot(page, name.replace("agreement", "adjudication"))


def known_items(researcher: User, people: list[Labeler]) -> None:
    """Three later batches with a gold item and two drift items each, a week apart; the careless labeler errs in all."""
    Ranking.objects.update(created_at=timezone.now() - timedelta(weeks=4))
    first = list(WorkItem.objects.order_by("pk")[:8])
    for item in first[:2]:
        drift.add(researcher, item)
    for item in first[2:]:
        answer(researcher, item, gold_places(item), "The first is right, short and kind.", "silent")
    dice = random.Random(2)
    for number in range(3):
        batch = make_batch(Kind.RANK)
        dispatch.change_settings(batch, Settings(calibration_share=0, drift_count=2, gold_share=1.0))
        asked = [prompt(f"Later question {number}.{at}: {PROMPT}") for at in range(2)]
        run = make_sampling_run(f"later {number}")
        dispatch.add_ranking_items(batch, [(one, make_completions(run, one, ANSWERS[:5])) for one in asked], need=8)
        known.mix_into(Batch.objects.get(pk=batch.pk))
        for person in people:
            while dispatch.claim(person, Kind.RANK):
                seen = [quality + dice.gauss(0, 4.0 if person == people[0] else 0.7) for quality in (2, 1, -2, 0, 0.5)]
                rank(person, [1 + sum(one < other for other in seen) for one in seen])
        when = timezone.now() - timedelta(weeks=2 - number)
        Ranking.objects.filter(item__batch=batch).update(created_at=when)


def gold_places(item: WorkItem) -> dict[int, int]:
    best = [0, 1, 4, 3, 2]  # as the labelers see them
    return {card.number: best.index(ANSWERS.index(card.text)) + 1 for card in shown(item)}


def test_screening_selection(new_context: Any, admin_user: User, researcher: User) -> None:
    made = make_set(researcher)
    answer_all(make_candidate("carla"))
    worse = [{**said, "place-1": "4", "place-3": "3"} if "place-0" in said else said for said in CANDIDATE]
    sitting = answer_all(make_candidate("cora"), worse)
    for response in to_grade(researcher, made):
        grade(researcher, response, 5 if response.sitting == sitting else 7)
    for width, name in ((1280, "screening-selection"), (390, "screening-selection-mobile")):
        page: Page = new_context(viewport={"width": width, "height": 1000}).new_page()
        log_in(page, admin_user)
        page.goto(reverse("screening-selection", args=[made.pk]))
        shoot(page, name)


MENU = [(1280, "menu"), (390, "menu-mobile")]


@pytest.mark.parametrize(("width", "name"), MENU)
def test_looked_at_and_not_kept(new_context: Any, admin_user: User, labeler: Labeler, width: int, name: str) -> None:
    """`PODIUM_LOOK=folder`: pages that no guide shows, to be looked at by whoever changes them."""
    folder = os.environ.get("PODIUM_LOOK")
    if not folder:
        pytest.skip("only where somebody wants to look")
    give_role(admin_user, Role.RESEARCHER)
    to_rank(4)
    hold.open_survey(admin_user, "satisfaction", "How is it?")
    page: Page = new_context(viewport={"width": width, "height": 900}).new_page()
    log_in(page, admin_user)
    page.locator("summary", has_text="People").click()
    page.screenshot(path=Path(folder) / f"{name}.png")
    for one in ("labeler-list", "screening-list", "survey-list", "timesheet", "queue-rules", "known-list"):
        page.goto(reverse(one))
        page.screenshot(path=Path(folder) / f"{name}-{one}.png")
    for one in ("labeler-detail", "labeler-timesheet", "labeler-data"):
        page.goto(reverse(one, args=[labeler.pseudonym]))
        page.screenshot(path=Path(folder) / f"{name}-{one}.png")
