"""Queueing, claiming and starting runs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training import storage
from training.contract.specs import SpecError
from training.models import Checkpoint, Run
from training.runs import launch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ARTIFACT_ROOT = tmp_path
    yield


def queue(spec: dict[str, Any] | None = None) -> Run:
    kept = storage.keep_rows("texts", [{"text": "The fox eats mice."}])
    from training.models import Dataset

    texts, _ = Dataset.objects.get_or_create(kind="texts", sha256=kept.sha256, path=kept.path, rows=1)
    inputs = {"texts": texts, "valid_texts": texts}
    return launch.queue_run(recipe="pretrain", name="p", spec=spec or {}, seed=1, inputs=inputs, parents={})


def test_settings_that_cannot_work_make_no_row() -> None:
    with pytest.raises(SpecError):
        queue({"steps": -3})
    assert not Run.objects.exists()


def test_only_one_worker_gets_a_run() -> None:
    run = queue()
    first, second = launch._claim(run.pk), launch._claim(run.pk)
    assert first is not None
    assert first.attempts == 1
    assert second is None


def test_the_recipe_is_told_everything_but_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in launch.SECRETS:
        monkeypatch.setenv(name, "secret")
    assert not set(launch.SECRETS) & set(launch._environment())
    run = queue({"steps": 7})
    described = launch._description(run)
    assert described["spec"] == {"steps": 7}
    assert described["inputs"]["texts"]["path"].startswith("datasets/texts-")
    assert json.loads(json.dumps(described)) == described


def test_a_real_recipe_runs_from_row_to_checkpoint() -> None:
    spec = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "max_position_embeddings": 32, "block_size": 8, "steps": 2, "batch_size": 1, "threads": 1,
    }  # fmt: skip
    run = queue(spec)
    launch.execute(run.pk)
    run.refresh_from_db()
    assert run.error == ""
    assert (run.state, run.step, run.total) == (Run.State.DONE, 2, 2)
    assert (storage.absolute(Checkpoint.objects.get(run=run).path) / "model.safetensors").is_file()


def test_a_recipe_that_refuses_leaves_one_sentence() -> None:
    run = queue({"block_size": 64, "max_position_embeddings": 128, "steps": 1})
    launch.execute(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.error.endswith(".")
    assert "Traceback" not in run.error


def test_a_failed_run_can_be_queued_again_once() -> None:
    run = queue()
    Run.objects.update(state=Run.State.FAILED, error="The disk is full.", futile_attempts=4)
    assert launch.retry(run)
    assert not launch.retry(run)
    run.refresh_from_db()
    assert (run.state, run.error, run.futile_attempts) == (Run.State.QUEUED, "", 0)


def test_a_folder_that_cannot_be_made_fails_with_a_sentence(settings: Any, tmp_path: Path) -> None:
    run = queue()
    (tmp_path / "file").write_text("")
    settings.ARTIFACT_ROOT = tmp_path / "file"
    launch.execute(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.error == "The run folder cannot be made ready: Not a directory."
