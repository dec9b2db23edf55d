"""Judgements of two or three policies, and what their sampling run would have written."""

import json
from pathlib import Path
from typing import Any

import pytest

from labeling.guidelines.publish import current
from labeling.judging.open import Wish, open_judgement
from labeling.models import Cohort, Judgement, Labeler, Purpose, User
from labeling.prompts import intake
from tests.people import make_labeler
from training import storage
from training.models import Checkpoint, Run


@pytest.fixture(autouse=True)
def artifacts(settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_ROOT = tmp_path


@pytest.fixture
def judges(db: None) -> list[Labeler]:
    """Two labelers who never made training data."""
    return [make_labeler("hana", Cohort.HELD_OUT), make_labeler("hugo", Cohort.HELD_OUT)]


def make_policies(*names: str) -> list[Checkpoint]:
    return [Checkpoint.objects.create(name=name, kind="policy", path=f"runs/{name}/checkpoint") for name in names]


def make_test_prompts(count: int, *, start: int = 0, use_case: str = "other") -> None:
    rows = [
        {"prompt": f"test prompt {number}", "split": "test", "use_case": use_case}
        for number in range(start, start + count)
    ]
    intake.take_in(rows, source="here")


def wish(policies: list[Checkpoint], **changes: Any) -> Wish:
    plain = {"name": "sft or base", "policies": policies, "prompts": 3, "judges": 1}
    return Wish(**{**plain, "guideline": current(Purpose.EVALUATION), **changes})


def make_judgement(user: User, *names: str, prompts: int = 3, **changes: Any) -> Judgement:
    make_test_prompts(prompts)
    return open_judgement(wish(make_policies(*(names or ("base", "sft"))), prompts=prompts, **changes), user)


def end_sampling(judgement: Judgement, *, alike: int = 0) -> Run:
    """As the recipe leaves a run: a completion of each policy for each prompt; the first `alike` prompts get the same
    text from all."""
    drawing = judgement.drawings.select_related("run").get(taken_in_at=None)
    run = drawing.run
    path = storage.absolute(run.inputs.get(name="prompts").dataset.path)
    prompts = [json.loads(line) for line in path.read_text().splitlines()]
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "samples.jsonl").open("w") as file:
        for at, row in enumerate(sorted(prompts, key=lambda row: str(row["prompt"]))):
            for sample, role in enumerate(sorted(run.spec["samples_by_policy"])):
                text = "the same" if at < alike else f"{role} says so"
                line = {"prompt_id": row["prompt_id"], "prompt": row["prompt"], "sample": sample, "completion": text}
                line |= {"finished": True, "token_ids": [], "logprobs": [], "use_case": row["use_case"], "policy": role}
                file.write(json.dumps(line) + "\n")
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
    return run
