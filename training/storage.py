"""The artifact folder. Only this module builds its paths and digests; the database keeps paths relative to the root.

$ARTIFACT_ROOT/datasets/<kind>-<sha12>.jsonl   immutable, the name is the content
$ARTIFACT_ROOT/runs/<run id>/                  one execution of a recipe (docs/architecture.md)
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from training.contract.rows import write_rows
from training.contract.run_dir import sha256_of


class Kept(NamedTuple):
    """A file that now lies in the artifact folder."""

    path: str  # relative to the artifact root
    sha256: str
    rows: int


def root() -> Path:
    return Path(settings.ARTIFACT_ROOT)


def absolute(path: str) -> Path:
    """Where a stored relative path lies on this machine."""
    return root() / path


def run_path(run_id: UUID | str) -> str:
    return f"runs/{run_id}"


def run_folder(run_id: UUID | str) -> Path:
    return absolute(run_path(run_id))


def checkpoint_path(run_id: UUID | str) -> str:
    return f"{run_path(run_id)}/checkpoint"


def dataset_path(kind: str, sha256: str) -> str:
    return f"datasets/{kind}-{sha256[:12]}.jsonl"


def keep_rows(kind: str, rows: Iterable[Mapping[str, Any]]) -> Kept:
    """Write rows of a dataset kind under the name of their content. The same rows twice are one file.

    Raises RowError for a row that is not of this kind; then nothing is left behind.
    """
    folder = absolute("datasets")
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{kind}-", dir=folder)
    os.close(handle)
    draft = Path(name)
    try:
        count = write_rows(draft, kind, rows)
        sha256 = sha256_of(draft)
        draft.chmod(0o444)
        draft.replace(absolute(dataset_path(kind, sha256)))
    finally:
        draft.unlink(missing_ok=True)
    return Kept(dataset_path(kind, sha256), sha256, count)
