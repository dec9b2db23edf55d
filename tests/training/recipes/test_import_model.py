"""Models from elsewhere: a folder of transformers, and a hub's cache (there is no hub here)."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

from tests.training.recipes.conftest import SFT
from tests.training.recipes.world import World, demonstrations, finish
from training.contract.status import read_status
from training.recipes import import_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def elsewhere(world: World, tmp_path: Path) -> Path:
    """A model that another program saved: another architecture, weights in bfloat16."""
    tokenizer = AutoTokenizer.from_pretrained(world.root / "runs" / "base" / "checkpoint")
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **size))
    folder = tmp_path / "elsewhere"
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def refusal(world: World, spec: dict[str, str]) -> str:
    folder = world.run("refused", "import_model", spec, {})
    assert import_model.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None and status["error"]
    return status["error"]


def test_a_folder_becomes_a_checkpoint_to_train_from(world: World, elsewhere: Path) -> None:
    folder = world.run("imported", "import_model", {"model": str(elsewhere)}, {})
    result = finish("import_model", folder)
    theirs, ours = (AutoModelForCausalLM.from_pretrained(path) for path in (elsewhere, folder / "checkpoint"))
    assert result["architecture"] == "GPTNeoXForCausalLM"
    assert result["parameters"] == sum(parameter.numel() for parameter in theirs.parameters())
    ids = torch.arange(10)[None]
    torch.testing.assert_close(ours(ids).logits, theirs.float()(ids).logits)
    shutil.rmtree(elsewhere)  # nothing depends on it any more
    data = {"demonstrations": world.dataset("shown", "demonstrations", demonstrations(8))}
    finish("sft", world.run("tuned", "sft", SFT | {"epochs": 1}, data, {"policy": "imported"}))


def test_a_model_of_the_hub_comes_with_its_commit(
    world: World, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the cache, laid out as the hub's library lays it out."""
    repository = tmp_path / "hub" / "models--somebody--small"
    shutil.copytree(elsewhere, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    result = finish("import_model", world.run("imported", "import_model", {"model": "somebody/small"}, {}))
    assert (result["model"], result["commit"]) == ("somebody/small", COMMIT)
    assert refusal(world, {"model": "somebody/else"}) == (
        "The hub cannot be reached, and somebody/else is not in this machine's cache."
    )


def test_what_is_no_model_is_refused_in_a_sentence(world: World, elsewhere: Path, tmp_path: Path) -> None:
    assert refusal(world, {"model": str(tmp_path / "nothing")}).endswith("nothing: it has no config.json.")
    shutil.rmtree(world.root / "runs" / "refused")
    (elsewhere / "model.safetensors").unlink()
    assert "cannot be opened as a causal language model" in refusal(world, {"model": str(elsewhere)})


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({}, "model is empty; it must be a hub id or the path of a folder."),
        ({"model": "/models/a", "revision": "main"}, "revision is for models of the hub; a folder has none."),
        ({"model": "no/such/id"}, "The hub does not give no/such/id: "),
    ],
)
def test_settings_that_cannot_work(world: World, spec: dict[str, str], sentence: str) -> None:
    assert refusal(world, spec).startswith(sentence)
