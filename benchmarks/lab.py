"""An artifact root of a study's own, and recipes run in it one after the other, in this process."""

import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.contract.rows import write_rows
from training.contract.run_dir import sha256_of
from training.contract.status import read_status

Input = dict[str, str]


class Lab:
    """What is done is kept: a study that was ended goes on where it was."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        return self.root / "runs" / name

    def checkpoint(self, name: str) -> Path:
        return self.folder(name) / "checkpoint"

    def dataset(self, name: str, kind: str, rows: Iterable[Mapping[str, Any]]) -> Input:
        path = self.root / "datasets" / f"{name}.jsonl"
        write_rows(path, kind, rows)
        return {"path": f"datasets/{name}.jsonl", "sha256": sha256_of(path)}

    def run(
        self,
        name: str,
        recipe: str,
        spec: Mapping[str, Any],
        inputs: Mapping[str, Input],
        parents: Mapping[str, str],
        seed: int,
    ) -> dict[str, Any]:
        """The result of a run, which is done if it has not been. Ends the study where it fails."""
        folder = self.folder(name)
        status = read_status(folder / "status.json")
        if status is not None and status["state"] == "done":
            return dict(status["result"] or {})
        folder.mkdir(parents=True, exist_ok=True)
        paths = {role: {"path": f"runs/{parent}/checkpoint", "run_id": parent} for role, parent in parents.items()}
        description = {"run_id": name, "recipe": recipe, "seed": seed, "spec": dict(spec)}
        description |= {"inputs": dict(inputs), "parents": paths}
        (folder / "run.json").write_text(json.dumps(description))
        print(f"  {name} ...", flush=True)
        code = importlib.import_module(f"training.recipes.{recipe}").main(["--run-dir", str(folder)])
        status = read_status(folder / "status.json")
        if code != 0 or status is None:
            raise SystemExit(f"{name}: {(status['error'] or status['state']) if status else 'no status'}")
        return dict(status["result"] or {})
