"""Tasks where lm-evaluation-harness is missing; with it they are tested in tests/peers/test_harness.py."""

import sys
from typing import Any

import pytest

from tests.training.recipes.world import World
from training.contract.status import read_status
from training.recipes import evaluate

QUESTION = {"task": "colors", "prompt": "What color is the sky?", "choices": ["red", "blue"], "answer": "blue"}


@pytest.mark.parametrize("by", ["questions", "name"])
def test_without_the_harness_a_run_says_how_to_install_it(
    by: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)  # as if it were not installed, where it is
    inputs = {"questions": world.dataset("questions", "questions", [QUESTION])} if by == "questions" else {}
    spec: dict[str, Any] = {"tasks": ["hellaswag"]} if by == "name" else {}
    folder = world.run("run", "evaluate", spec, inputs, {"policy": "sft"})
    assert evaluate.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None
    assert status["error"] == (
        "The run asks for tasks, and lm-evaluation-harness is not installed; "
        "`pip install '.[evaluation]' -c constraints.txt` in Podium's folder and environment installs it."
    )


def test_a_run_that_asks_for_nothing_is_refused(world: World) -> None:
    folder = world.run("run", "evaluate", {}, {}, {"policy": "sft"})
    assert evaluate.main(["--run-dir", str(folder)]) == 1
    status = read_status(folder / "status.json")
    assert status is not None
    assert "no texts, prompts, questions or tasks" in status["error"]
