"""An artifact root of each test's own, and a whole history: base, SFT, reward model, PPO, with the labels between."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labeling.demonstrations import submit as demonstrations
from labeling.exports import freeze
from labeling.models import Cohort, Demonstration, Kind, Labeler, Ranking, User
from labeling.queue import dispatch
from tests.labeling.agreement.overlap import rank
from tests.people import make_labeler
from tests.work import make_batch, make_completions, make_prompts, writing_work
from training import storage
from training.models import Checkpoint, Dataset, Run
from training.runs.launch import queue_run

SPECS: dict[str, dict[str, Any]] = {
    "sft": {"epochs": 2, "batch_size": 32, "threads": 1},
    "reward_model": {},
    "ppo": {"kl_coef": 0.05},
    "pretrain": {},
    "sample": {},
    "evaluate": {},
}


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> Path:
    settings.ARTIFACT_ROOT = tmp_path
    settings.CACHES = {**settings.CACHES, "reports": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return tmp_path


def run_of(
    recipe: str, name: str, inputs: dict[str, Dataset] | None = None, parents: dict[str, Checkpoint] | None = None
) -> Run:
    return queue_run(recipe=recipe, name=name, spec=SPECS[recipe], seed=7, inputs=inputs or {}, parents=parents or {})


def finish(run: Run, **result: Any) -> Run:
    """As the trainer leaves the row, without a checkpoint."""
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE, result=result, worker="hal:17")
    run.refresh_from_db()
    return run


def made(run: Run, kind: str = "policy", **result: Any) -> Checkpoint:
    """As the trainer leaves row and folder when a recipe that makes weights is done."""
    finish(run, **result)
    folder = storage.run_folder(run.pk)
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "state").mkdir()
    (folder / "run.json").write_text('{"code_version": "abc123"}')
    (folder / "checkpoint" / "config.json").write_text("{}")
    (folder / "checkpoint" / "model.safetensors").write_bytes(b"w" * 1000)
    (folder / "state" / "state.pt").write_bytes(b"s" * 500)
    return Checkpoint.objects.create(run=run, name=run.name, kind=kind, path=storage.checkpoint_path(run.pk))


@dataclass
class History:
    """Two labelers wrote two demonstrations; both ranked two items of the SFT policy's samples."""

    base: Checkpoint
    sft: Checkpoint
    reward_model: Checkpoint
    ppo: Checkpoint
    sample: Run
    texts: Dataset
    demonstrations: Dataset
    rankings: Dataset
    first: Labeler
    second: Labeler


def make_history() -> History:
    first, second = make_labeler("fern"), make_labeler("sol")
    texts = freeze.freeze_texts(["A text."])
    base = made(run_of("pretrain", "base", {"texts": texts, "valid_texts": texts}), val_loss=3.5)
    writing_work(2)
    for labeler in (first, second):
        lease = dispatch.claim(labeler, Kind.DEMONSTRATE)
        assert lease
        demonstrations.submit(labeler, lease.pk, f"An answer by the {labeler.pk}th.")
    written = freeze.freeze_demonstrations(Demonstration.objects.all(), filters={"by": "hand"})
    sft = made(run_of("sft", "sft", {"demonstrations": written}, {"policy": base}), val_loss=2.25)
    prompts = make_prompts(2)
    asked = freeze.freeze_prompts(type(prompts[0]).objects.all())
    sample = finish(run_of("sample", "samples", {"prompts": asked}, {"policy": sft}))
    batch = make_batch(Kind.RANK, Cohort.TRAINING)
    groups = [(prompt, make_completions(sample, prompt, ("a", "b", "c", "d"))) for prompt in prompts]
    dispatch.add_ranking_items(batch, groups, need=2)
    for labeler in (first, second):
        for _ in prompts:
            rank(labeler, [1, 2, 3, 4])
    ranked = freeze.freeze_rankings(Ranking.objects.all())
    reward_model = made(
        run_of("reward_model", "rm", {"rankings": ranked}, {"policy": sft}),
        "reward_model",
        valid_accuracy=0.75,
        valid_accuracy_low=0.5,
        valid_accuracy_high=0.875,
    )
    ppo = made(run_of("ppo", "ppo", {"prompts": asked}, {"policy": sft, "reward_model": reward_model}))
    measured = run_of("evaluate", "evaluate ppo", {"texts": texts}, {"policy": ppo})
    finish(measured, lm_loss=2.5, **{"hellaswag/acc": 0.5, "hellaswag/acc_stderr": 0.1})
    return History(base, sft, reward_model, ppo, sample, texts, written, ranked, first, second)


@pytest.fixture
def history(db: None) -> History:
    return make_history()


@pytest.fixture
def rosa(client: Any, researcher: User) -> Any:
    client.force_login(researcher)
    return client
