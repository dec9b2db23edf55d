"""A researcher from an empty project to a judged second policy, on real parts: server, workers, PostgreSQL, Redis.

On the way the round is paused and resumed, a stage fails and is tried again with other settings, and while PPO runs the
trainer and its recipe are killed with SIGKILL. All that the researcher does is done in the browser; labelers are
simulated, and use the doors that people use.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page, expect

from labeling.models import Cohort, Prompt, Round, Split, Stage, User
from labeling.simulation import demo
from labeling.simulation.people import Person, population
from labeling.simulation.world import World
from tests.browser.conftest import log_in
from tests.processes import Workers, redis_server
from training import storage
from training.contract.status import read_status
from training.models import Dataset, Run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SEED = 3
COUNTS = {Split.TRAIN: 150, Split.VALID: 15, Split.TEST: 16}
WANTED = {"demonstrate": 80, "rank": 60, "rank_valid": 12, "judge": 14, "requeue": 6}
# Small enough for a minute, and long enough to be caught in the middle.
SPECS: dict[str, dict[str, Any]] = {
    "pretrain": {"hidden_size": 48, "steps": 400, "save_every": 20, "eval_every": 200, "threads": 1},
    "sft": {"epochs": 4, "save_every": 10},
    "reward_model": {"epochs": 4, "batch_size": 8},
    "ppo_ptx": {"total_episodes": 32 * 8, "save_every": 1},
    "ppo": {"total_episodes": 32 * 2},
}
TOO_SHORT = 2  # tokens of a prompt that SFT takes at most: it fails at the first demonstration


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with redis_server(tmp_path / "redis") as url:
        found = Workers(url, tmp_path)
        found.worker()
        found.beat(tmp_path)
        yield found
        found.end()


@pytest.fixture
def people() -> list[Person]:
    return population(training=3, held_out=2, seed=SEED)


def test_from_an_empty_project_to_a_judged_second_policy(
    page: Page, researcher: User, workers: Workers, people: list[Person], tmp_path: Path
) -> None:
    page.set_default_timeout(30_000)
    trainer = workers.trainer()
    log_in(page, researcher)
    bring_in(page, tmp_path)
    round_ = open_round(page)
    walk = Walk(page, round_, people)

    # A pause in the middle of pretraining: the run saves and stops, and goes on from there.
    walk.until(lambda: step_of(round_, "pretrain") > 20, "the middle of pretraining")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#loop .badge").first).to_have_text("Paused")
    walk.until(lambda: run_of(round_, "pretrain").state == Run.State.STOPPED, "the run to stop", work=False)
    stopped_at = step_of(round_, "pretrain")
    assert 20 < stopped_at < SPECS["pretrain"]["steps"]
    assert not walk.work()  # nothing is given out in a pause
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#loop .badge").first).to_have_text("Running")

    # The stage that cannot work fails with a sentence, and goes on with other settings.
    walk.until(lambda: stage_of(round_, "sft").state == Stage.State.FAILED, "the failure of SFT")
    page.goto(reverse("round-detail", args=[round_.pk]))
    expect(page.locator(".stage.failed .stage-note")).to_contain_text("max_prompt_tokens is 2")
    page.locator(".stage.failed").get_by_role("link", name="With other settings").click()
    page.locator("#id_specs__sft__max_prompt_tokens").fill("64")
    page.get_by_role("button", name="Try again with these settings").click()
    page.wait_for_url(f"**{reverse('round-detail', args=[round_.pk])}")
    expect(page.locator("#timeline")).to_contain_text("max_prompt_tokens")

    # PPO loses its worker and its process, and goes on by itself from its last state.
    walk.until(lambda: stage_of(round_, "ppo_ptx").state == Stage.State.RUNNING, "PPO-ptx", go_on=True)
    walk.until(lambda: in_the_middle(round_, "ppo_ptx") > 0, "the middle of PPO-ptx")
    pid, step = in_the_middle(round_, "ppo_ptx"), step_of(round_, "ppo_ptx")
    trainer.kill()
    os.kill(pid, signal.SIGKILL)
    trainer.wait()
    workers.trainer()
    walk.until(lambda: round_state(round_) != Round.State.RUNNING, "the end of the round", go_on=True)
    assert round_state(round_) == Round.State.DONE, list(round_.stages.values_list("name", "note"))
    killed = run_of(round_, "ppo_ptx")
    assert killed.attempts == 2
    assert killed.step > step

    look_at_the_end(page, round_)


class Walk:
    """The labelers work while something is waited for; a researcher lets the gate pass in the browser."""

    def __init__(self, page: Page, round_: Round, people: list[Person]) -> None:
        self.page, self.round, self.people = page, round_, people

    def work(self) -> int:
        return demo.do_peoples_work(self.round, self.people, on_label=lambda: None)

    def until(self, happened: Callable[[], bool], what: str, *, work: bool = True, go_on: bool = False) -> None:
        for _ in range(600):
            connection.close_if_unusable_or_obsolete()
            if happened():
                return
            if work:
                self.work()
            if go_on and self.round.stages.filter(state=Stage.State.HELD).exists():
                self.page.goto(reverse("round-detail", args=[self.round.pk]))
                self.page.get_by_role("button", name="Go on all the same").click()
            self.page.wait_for_timeout(200)
        stages = list(self.round.stages.exclude(state=Stage.State.PENDING).values_list("name", "state", "note"))
        raise AssertionError(f"Not in time: {what}. {stages}")


def bring_in(page: Page, folder: Path) -> None:
    """What the form says is missing: prompts, guidelines, texts."""
    page.goto(reverse("round-list"))
    page.get_by_role("link", name="Open a round").first.click()
    missing = page.get_by_role("region", name="What is missing here")
    world = World(SEED)
    rows = [
        {"prompt": prompt.text, "use_case": prompt.use_case, "split": split}
        for split, count in COUNTS.items()
        for prompt in world.prompts(split, count)
    ]
    prompts, texts = folder / "prompts.jsonl", folder / "texts.jsonl"
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in world.corpus(2_000)))

    missing.get_by_role("link", name="Take prompts in").click()
    page.get_by_label("File").set_input_files(prompts)
    page.get_by_label("Source").fill("walk")
    page.get_by_role("button", name="Take them in").click()
    expect(page.locator("#report")).to_contain_text("added")
    assert Prompt.objects.filter(source="walk").count() > 0.9 * len(rows)
    page.goto(reverse("round-new"))
    while (publish := missing.get_by_role("link", name="Publish one")).count():
        publish.first.click()
        page.get_by_label("Title").fill("What we ask for")
        page.get_by_label("Text", exact=True).fill("Be helpful. Then be truthful, and do no harm.")
        page.get_by_role("button", name="Publish version").click()
        page.wait_for_url(lambda url: "publish" not in url)
        page.goto(reverse("round-new"))
    missing.get_by_role("link", name="Bring texts in").click()
    page.get_by_label("File").set_input_files(texts)
    page.get_by_label("A text ends").select_option("jsonl")
    page.get_by_label("Share held out").fill("0.05")
    page.get_by_role("button", name="Freeze them").click()
    page.wait_for_url(f"**{reverse('dataset-list')}")
    assert Dataset.objects.filter(kind="texts").count() == 2


def open_round(page: Page) -> Round:
    page.goto(reverse("round-new") + "?preset=toy")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.get_by_label("Name").fill("The first round")
    values = {f"prompts__{name}": count for name, count in WANTED.items()}
    values |= {f"specs__{stage}__{name}": value for stage, spec in SPECS.items() for name, value in spec.items()}
    values["specs__sft__max_prompt_tokens"] = TOO_SHORT
    for name, value in values.items():
        page.locator(f"#id_{name}").fill(str(value))
    page.get_by_role("button", name="What would it take?").click()
    expect(page.locator("#dry-run")).to_contain_text("Labeling")
    page.get_by_role("button", name="Open the round").click()
    page.wait_for_url("**/rounds/*/")
    return Round.objects.get()


def look_at_the_end(page: Page, round_: Round) -> None:
    """The judgement, and the way back from the new policy to people's labels."""
    page.goto(reverse("round-detail", args=[round_.pk]))
    expect(page.locator("#loop .badge").first).to_have_text("Done")
    expect(page.get_by_role("list", name="Stages").locator(".stage.done")).to_have_count(round_.stages.count())
    page.goto(reverse("round-judgement", args=[round_.pk]))
    expect(page.locator("main")).to_contain_text("ppo_ptx")
    checkpoint = run_of(round_, "ppo_ptx").checkpoint
    page.goto(reverse("checkpoint-detail", args=[checkpoint.pk]))
    for maker in ("pretrain", "sft", "reward_model"):
        link = reverse("checkpoint-detail", args=[run_of(round_, maker).checkpoint.pk])
        expect(page.locator(f"main a[href='{link}']").first).to_be_attached()
    assert (storage.absolute(checkpoint.path) / "model.safetensors").exists()
    judged = stage_of(round_, "judge").batch
    assert judged is not None
    assert judged.cohort == Cohort.HELD_OUT
    assert judged.items.filter(done=2).count() > 0


def stage_of(round_: Round, name: str) -> Stage:
    return round_.stages.select_related("run", "batch").get(name=name)


def run_of(round_: Round, name: str) -> Run:
    run = stage_of(round_, name).run
    assert run is not None, f"{name} has no run yet"
    return run


def round_state(round_: Round) -> str:
    return Round.objects.values_list("state", flat=True).get(pk=round_.pk)


def step_of(round_: Round, name: str) -> int:
    """As the recipe says itself; 0 before it has begun."""
    run = stage_of(round_, name).run
    status = read_status(storage.run_folder(run.pk) / "status.json") if run else None
    return int(status["step"]) if status else 0


def in_the_middle(round_: Round, name: str) -> int:
    """The process of the stage's recipe once it has saved its state and is not near its end; else 0."""
    folder = storage.run_folder(run_of(round_, name).pk)
    status = read_status(folder / "status.json")
    saved = (folder / "state").is_dir() and any((folder / "state").iterdir())
    is_there = status and saved and status["state"] == "running" and 2 <= status["step"] < 0.8 * status["total"]
    return int(status["pid"]) if status and is_there else 0
