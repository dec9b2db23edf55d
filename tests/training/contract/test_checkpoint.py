"""Checkpoint folders, whole and damaged. The weights are written by the safetensors library."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from training.contract.checkpoint import damage


def whole_checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text('{"model": {}}')
    weights = {"a": torch.ones(3, 5), "b": torch.ones(2, dtype=torch.bfloat16), "c": torch.ones((), dtype=torch.int64)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def in_parts(folder: Path) -> Path:
    whole_checkpoint(folder)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    save_file({"d": torch.ones(4)}, folder / "model-00002-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "d": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def in_pickle(folder: Path) -> Path:
    whole_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    torch.save({"a": torch.ones(2)}, folder / "pytorch_model.bin")
    return folder


@pytest.mark.parametrize("make", [whole_checkpoint, in_parts, in_pickle])
def test_a_whole_checkpoint_has_no_damage(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert damage(make(tmp_path / "checkpoint")) is None


@pytest.mark.parametrize("name", ["tokenizer.model", "vocab.json"])
def test_tokenizers_have_other_files_too(tmp_path: Path, name: str) -> None:
    folder = whole_checkpoint(tmp_path / "checkpoint")
    (folder / "tokenizer.json").rename(folder / name)
    assert damage(folder) is None


def cut(name: str, keep: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep]) and None


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def longer(folder: Path) -> None:
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"more")


def header(change: Callable[[str], str]) -> Callable[[Path], None]:
    """The header as changed, its length with it."""

    def damaged(folder: Path) -> None:
        path = folder / "model.safetensors"
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        text = change(data[8 : 8 + length].decode()).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])

    return damaged


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (cut("config.json", 1), "config.json is not JSON"),
        (without("model.safetensors"), "model.safetensors is missing"),
        (cut("model.safetensors", 0), "model.safetensors is empty"),
        (cut("model.safetensors", 7), "model.safetensors ends within its header, after 7 bytes"),
        (cut("model.safetensors", 40), "model.safetensors ends within its header, after 40 bytes"),
        (cut("model.safetensors", -1), "model.safetensors has {size} bytes, and its header says {whole}"),
        (longer, "model.safetensors has {size} bytes, and its header says {whole}"),
        (header(lambda text: text.replace('"', "'")), "model.safetensors has a header that cannot be read"),
        (header(lambda text: text.replace("offsets", "ends")), "model.safetensors has a header that cannot be read"),
        (header(lambda text: text.replace("[3,5]", "[3,6]")), "model.safetensors has a header that contradicts itself"),
        (without("tokenizer.json"), "tokenizer.json is missing"),
        (cut("tokenizer.json", 5), "tokenizer.json is not JSON"),
        (lambda folder: (folder / "tokenizer.json").write_text("[]") and None, "tokenizer.json is not a JSON object"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, break_it: Callable[[Path], None], sentence: str) -> None:
    folder = whole_checkpoint(tmp_path / "checkpoint")
    whole = (folder / "model.safetensors").stat().st_size
    break_it(folder)
    weights = folder / "model.safetensors"
    size = weights.stat().st_size if weights.exists() else 0
    assert (damage(folder) or "").startswith(sentence.format(size=size, whole=whole))


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (
            without("model-00002-of-00002.safetensors"),
            "model-00002-of-00002.safetensors, which model.safetensors.index.json names, is missing",
        ),
        (cut("model-00002-of-00002.safetensors", 60), "model-00002-of-00002.safetensors ends within its header"),
        (cut("model.safetensors.index.json", 9), "model.safetensors.index.json is not JSON"),
        (
            lambda folder: (folder / "model.safetensors.index.json").write_text("{}") and None,
            "model.safetensors.index.json names no file",
        ),
    ],
)
def test_a_damaged_part_is_named(tmp_path: Path, break_it: Callable[[Path], None], sentence: str) -> None:
    folder = in_parts(tmp_path / "checkpoint")
    break_it(folder)
    assert (damage(folder) or "").startswith(sentence)


def test_weights_in_folders_of_their_own_are_looked_at_too(tmp_path: Path) -> None:
    folder = whole_checkpoint(tmp_path / "checkpoint")
    (folder / "heads").mkdir()
    (folder / "heads" / "heads.safetensors").write_bytes(b"half")
    assert damage(folder) == "heads/heads.safetensors ends within its header, after 4 bytes"
