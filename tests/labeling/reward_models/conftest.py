"""A reward model, held-out rankings, and a scoring of them as the recipe leaves it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone

from labeling.models import Batch, Cohort, Kind, Labeler, Prompt
from labeling.queue import dispatch
from labeling.reward_models import scoring
from tests.labeling.agreement.overlap import ranked_by
from tests.labeling.figures.world import make_line, prompts
from tests.work import make_batch, make_completions, make_sampling_run
from training import storage
from training.contract.rows import read_rows
from training.models import Checkpoint, Run

TEXTS = [
    "It is short.",
    "It is a little longer.",
    "Perhaps it is longer, I think?",
    "- a list\n- of two things, the longest",
]
Reward = Callable[[dict[str, Any]], tuple[float, float]]


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path
    caches["reports"].clear()


@pytest.fixture
def proxy(db: None) -> Checkpoint:
    return make_line()["proxy"]


def work(asked: list[Prompt], need: int = 1) -> Batch:
    batch = make_batch(Kind.RANK, Cohort.HELD_OUT)
    run = make_sampling_run(f"for {asked[0]}")
    dispatch.add_ranking_items(batch, [(prompt, make_completions(run, prompt, TEXTS)) for prompt in asked], need=need)
    return batch


@pytest.fixture
def ranked(held_out_labeler: Labeler) -> Batch:
    """Six validation prompts; the labeler likes the short one best on five, and the long one on the last."""
    batch = work(prompts(6, "valid"))
    ranked_by(batch, (held_out_labeler, [[1, 2, 3, 4]] * 5 + [[4, 3, 2, 1]]))
    return batch


def by_length(row: dict[str, Any]) -> tuple[float, float]:
    return len(row["completion"]) / 5, 0.25


def finish(run: Run, reward: Reward = by_length) -> Run:
    """What the recipe `score` leaves: every row as it came, with reward and spread (training/recipes/score.py)."""
    [entry] = run.inputs.select_related("dataset")
    rows = read_rows(storage.absolute(entry.dataset.path), "completions")
    path = storage.run_folder(run.pk) / "samples.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as out:
        for row in rows:
            mean, spread = reward(row)
            out.write(json.dumps({**row, "reward": mean, "spread": spread}) + "\n")
    Run.objects.filter(pk=run.pk).update(
        state=Run.State.DONE, started_at=timezone.now(), finished_at=timezone.now(), result={"completions": len(rows)}
    )
    return run


@pytest.fixture
def scored_run(proxy: Checkpoint, ranked: Batch) -> Run:
    return finish(scoring.score(proxy))
