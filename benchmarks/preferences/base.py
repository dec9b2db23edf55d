"""The small language model that both trainers start from, pretrained on novels by our own recipe, once."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.preferences.folders import Root, finish
from training.contract.status import read_status

CHARACTERS = 200_000  # of each novel, from its beginning: about as much as is trained on
CONTEXT = 512
SPEC: dict[str, Any] = {
    "vocab_size": 8192,
    "word_min_count": 5,
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 384,
    "max_position_embeddings": CONTEXT,
    "block_size": 256,
    "batch_size": 8,
    "steps": 2000,
    "lr": 4e-3,
    "warmup_steps": 100,
    "precision": "bf16",
    "threads": 1,
    "eval_every": 500,
}


def pretrained(root: Root, novels: Path) -> Path:
    """The run folder of the base model; it is trained where it is not there yet, and goes on where it stopped."""
    inputs = {name: root.dataset("texts", _texts(novels / f"{split}.jsonl.xz")) for name, split in SPLITS.items()}
    folder = root.run("pretrain", SPEC, inputs)
    status = read_status(folder / "status.json")
    if status is None or status["state"] != "done":
        print(f"  pretraining the base model in {folder} ({SPEC['steps']} steps) ...", flush=True)
        finish(folder)
    return folder


SPLITS = {"texts": "train", "valid_texts": "valid"}


def _texts(file: Path) -> Iterator[dict[str, str]]:
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield {"text": json.loads(line)["text"][:CHARACTERS]}
