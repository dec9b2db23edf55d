"""A world small enough for tests: things have colors; a base model that a recipe trains in seconds."""

import importlib
import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from training.contract.metrics import read_metrics
from training.contract.rows import write_rows
from training.contract.run_dir import sha256_of
from training.contract.status import read_status

COLORS = {
    "lemon": "yellow",
    "banana": "yellow",
    "cherry": "red",
    "tomato": "red",
    "leaf": "green",
    "frog": "green",
    "sky": "blue",
    "sea": "blue",
}


class World:
    """An artifact root, and the means to lay out a run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def dataset(self, name: str, kind: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        path = self.root / "datasets" / f"{name}.jsonl"
        write_rows(path, kind, rows)
        return {"path": f"datasets/{name}.jsonl", "sha256": sha256_of(path)}

    def run(
        self,
        run_id: str,
        recipe: str,
        spec: Mapping[str, Any],
        inputs: Mapping[str, dict[str, str]],
        parents: Mapping[str, str] | None = None,
        seed: int = 1,
    ) -> Path:
        """A run folder with its run.json; `parents` names run ids."""
        folder = self.root / "runs" / run_id
        folder.mkdir(parents=True)
        lineage = {
            name: {"path": f"runs/{parent}/checkpoint", "run_id": parent} for name, parent in (parents or {}).items()
        }
        description = {
            "run_id": run_id,
            "recipe": recipe,
            "seed": seed,
            "spec": dict(spec),
            "inputs": dict(inputs),
            "parents": lineage,
            "code_version": "test",
            "created_at": "2026-01-01T00:00:00+00:00",
        }
        (folder / "run.json").write_text(json.dumps(description))
        return folder


def finish(recipe: str, folder: Path) -> dict[str, Any]:
    """Run the recipe to its end, in this process, and return its result."""
    code = importlib.import_module(f"training.recipes.{recipe}").main(["--run-dir", str(folder)])
    status = read_status(folder / "status.json")
    assert status is not None and status["result"] is not None and code == 0, status
    return status["result"]


def curves(folder: Path) -> list[dict[str, float]]:
    """The rows of metrics, without the times at which they were written."""
    rows, _ = read_metrics(folder / "metrics.jsonl")
    return [{name: value for name, value in row.items() if name != "time"} for row in rows]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """What the checkpoint of a run holds."""
    return load_file(folder / "checkpoint" / "model.safetensors")


def state_of(folder: Path) -> dict[str, Any]:
    """The last saved state of a run."""
    return torch.load(folder / "state" / "state.pt", weights_only=True)  # type: ignore[no-any-return]


def texts(count: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        thing = rng.choice(list(COLORS))
        rows.append({"text": f"About the {thing}\nThe {thing} is {COLORS[thing]}. I like the {COLORS[thing]} {thing}."})
    return rows


def prompts(count: int, split: str = "train") -> list[dict[str, Any]]:
    things = list(COLORS)
    return [
        {
            "prompt_id": f"p{i}",
            "prompt": f"What color is the {things[i % len(things)]}?",
            "use_case": "open_qa",
            "split": split,
        }
        for i in range(count)
    ]


def demonstrations(count: int) -> list[dict[str, Any]]:
    things = list(COLORS)
    rows = []
    for i, prompt in enumerate(prompts(count)):
        thing = things[i % len(things)]
        person = {"labeler": f"l{i % 3}", "cohort": "training", "demonstration_id": f"d{i}"}
        rows.append(prompt | person | {"completion": f"The {thing} is {COLORS[thing]}."})
    return rows


def rankings(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Four completions each: right (1), the same thing in another color (2, tied with 2), about something else (3)."""
    rng = random.Random(seed)
    things, colors = list(COLORS), sorted(set(COLORS.values()))
    rows = []
    for i, prompt in enumerate(prompts(count)):
        thing = things[i % len(things)]
        wrong = rng.sample([color for color in colors if color != COLORS[thing]], 2)
        other = rng.choice([name for name in things if name != thing])
        completions = [f"The {thing} is {COLORS[thing]}.", *(f"The {thing} is {color}." for color in wrong)]
        ranked = list(zip([*completions, f"I like the {other}."], [1, 2, 2, 3], strict=True))
        rng.shuffle(ranked)
        rows.append(
            prompt
            | {"ranking_id": f"r{i}", "labeler": f"l{i % 3}", "cohort": "training"}
            | {"completions": [text for text, _ in ranked], "ranks": [rank for _, rank in ranked]}
        )
    return rows
