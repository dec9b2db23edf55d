import hashlib
import json
from pathlib import Path

import pytest

from tests.training.contract.test_checkpoint import whole_checkpoint
from training.contract.run_dir import RunBusy, RunDir, RunError, load_run, lock, publish_folder, write_atomically


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    data = b'{"text": "hello"}\n'
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "texts-1.jsonl").write_bytes(data)
    whole_checkpoint(tmp_path / "runs" / "a" / "checkpoint")
    folder = tmp_path / "runs" / "b"
    folder.mkdir()
    description = {
        "run_id": "b",
        "recipe": "sft",
        "seed": 1,
        "spec": {},
        "inputs": {"texts": {"path": "datasets/texts-1.jsonl", "sha256": hashlib.sha256(data).hexdigest()}},
        "parents": {
            "policy": {"path": "runs/a/checkpoint", "run_id": "a"},
            "gone": {"path": "runs/c/checkpoint", "run_id": "c"},
            "outside": {"path": "../../etc", "run_id": "d"},
        },
    }
    (folder / "run.json").write_text(json.dumps(description))
    return load_run(folder, "sft")


def test_inputs_and_parents_are_found_below_the_artifact_root(run: RunDir, tmp_path: Path) -> None:
    assert run.input("texts") == tmp_path / "datasets" / "texts-1.jsonl"
    assert run.parent("policy") == tmp_path / "runs" / "a" / "checkpoint"


def test_a_changed_input_is_refused(run: RunDir) -> None:
    (run.root / "datasets" / "texts-1.jsonl").write_text('{"text": "other"}\n')
    with pytest.raises(RunError, match="has changed: its SHA-256 is"):
        run.input("texts")


def test_a_damaged_parent_is_named_with_its_file(run: RunDir) -> None:
    (run.root / "runs" / "a" / "checkpoint" / "tokenizer.json").write_text("{")
    with pytest.raises(RunError, match=r"^The parent 'policy' is damaged: runs/a/checkpoint/tokenizer.json is"):
        run.parent("policy")


@pytest.mark.parametrize(
    ("parent", "sentence"),
    [("gone", "there is no checkpoint"), ("other", "run.json names none"), ("outside", "leads out of")],
)
def test_a_parent_that_cannot_be_used_is_refused(run: RunDir, parent: str, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        run.parent(parent)


def test_a_missing_input_is_refused(run: RunDir) -> None:
    with pytest.raises(RunError, match="needs the input 'rankings'"):
        run.input("rankings")


def test_a_run_of_another_recipe_is_refused(run: RunDir) -> None:
    with pytest.raises(RunError, match="is a sft run; this is the recipe ppo"):
        load_run(run.path, "ppo")


def test_a_folder_is_held_by_one_at_a_time(run: RunDir) -> None:
    with lock(run.path), pytest.raises(RunBusy), lock(run.path):
        pass
    with lock(run.path):
        pass


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    write_atomically(path, lambda file: file.write_text("old") and None)

    def fail(file: Path) -> None:
        file.write_text("ne")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_atomically(path, fail)
    assert path.read_text() == "old"


def test_a_folder_is_published_whole_and_again(tmp_path: Path) -> None:
    final = tmp_path / "checkpoint"
    for text in ("first", "second"):
        publish_folder(final, lambda folder, text=text: (folder / "config.json").write_text(text) and None)
        assert (final / "config.json").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
