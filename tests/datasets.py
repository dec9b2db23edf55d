"""Public data sets that lie beside the checkout and are not part of it: a test that needs one is skipped without it."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("PODIUM_DATA", BESIDE))


def path_of(name: str) -> Path:
    """The file, or the end of the test."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is not there; PODIUM_DATA names the folder of data sets")
    return path


def read(name: str) -> Any:
    """What a JSON file holds, or the rows of a JSON lines file."""
    path = path_of(name)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in raw.splitlines()]
    return json.loads(raw)
