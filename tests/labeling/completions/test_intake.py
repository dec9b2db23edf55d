"""Completions in, from the file a sampling run writes."""

import json
from typing import Any
from uuid import uuid4

import pytest

from labeling.completions.intake import take_in
from labeling.errors import BadInput, Conflict
from labeling.models import Completion, Prompt
from tests.work import make_prompts, make_sampling_run
from training import storage
from training.models import Checkpoint, Run, RunParent

pytestmark = pytest.mark.django_db


def row(prompt: Prompt, sample: int, completion: str, **more: Any) -> dict[str, Any]:
    return {
        "prompt_id": str(prompt.pk),
        "prompt": prompt.text,
        "sample": sample,
        "completion": completion,
        "finished": True,
        "token_ids": [1, 2],
        "logprobs": [-0.5, -1.0],
        "use_case": prompt.use_case,
    } | more


def write(run: Run, rows: list[dict[str, Any]]) -> None:
    folder = storage.run_folder(run.pk)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rows_become_completions_of_the_policy_that_was_sampled() -> None:
    run, (prompt, other) = make_sampling_run(), make_prompts(2)
    write(run, [row(prompt, 1, "two"), row(prompt, 0, "one", finished=False), row(other, 0, "")])
    taken = take_in(run)
    assert {(c.prompt, c.sample, c.text, c.finished) for c in taken} == {
        (prompt, 0, "one", False),
        (prompt, 1, "two", True),
        (other, 0, "", True),
    }
    assert {c.checkpoint for c in taken} == {run.parents.get().checkpoint}
    assert [c.sample for c in taken if c.prompt == prompt] == [0, 1]


def test_rows_become_completions_of_the_parent_that_they_name() -> None:
    """As in a run of 4 and 2; a row without the name, from an older file, is the policy's."""
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    second = Checkpoint.objects.create(name="second", kind="policy", path="runs/second/checkpoint")
    RunParent.objects.create(run=run, role="policy_2", checkpoint=second)
    rows = [row(prompt, k, str(k), policy="policy" if k < 4 else "policy_2", seed=7) for k in range(6)]
    write(run, [*rows, row(prompt, 6, "old")])
    taken = take_in(run)
    first = run.parents.get(role="policy").checkpoint
    assert [completion.checkpoint for completion in taken] == [*[first] * 4, second, second, first]


def test_a_parent_that_the_run_has_not_is_named() -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    write(run, [row(prompt, 0, "one", policy="policy"), row(prompt, 1, "two", policy="policy_3")])
    with pytest.raises(BadInput, match="line 2: the run “sample” has no parent “policy_3”"):
        take_in(run)
    assert Completion.objects.count() == 0


def test_a_model_behind_a_server_gets_one_checkpoint_for_all_its_runs() -> None:
    """Its rows have neither tokens nor a parent."""
    (prompt,) = make_prompts(1)
    for name, model in (("first", "tiny"), ("second", "tiny"), ("third", "large")):
        spec = {"engine": "openai", "base_url": "http://127.0.0.1:8000/v1/", "model": model}
        run = Run.objects.create(recipe="sample", name=name, spec=spec, seed=1, state=Run.State.DONE)
        write(run, [row(prompt, 0, "one", token_ids=[], logprobs=[], seed=7)])
        take_in(run)
    found = [(completion.run.name, completion.checkpoint.name) for completion in Completion.objects.order_by("pk")]
    assert found == [("first", "tiny"), ("second", "tiny"), ("third", "large")]
    assert sorted(Checkpoint.objects.values_list("path", "kind")) == [
        ("http://127.0.0.1:8000/v1#large", "policy"),
        ("http://127.0.0.1:8000/v1#tiny", "policy"),
    ]


def test_a_run_without_a_policy() -> None:
    run = Run.objects.create(recipe="sample", name="lost", spec={}, seed=1, state=Run.State.DONE)
    with pytest.raises(BadInput, match="names no policy"):
        take_in(run)


def test_twice_is_the_same_as_once() -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    write(run, [row(prompt, 0, "one")])
    first = take_in(run)
    write(run, [row(prompt, 0, "another"), row(prompt, 1, "two")])
    second = take_in(run)
    assert [(c.pk, c.text) for c in second if c.sample == 0] == [(first[0].pk, "one")]
    assert Completion.objects.count() == 2


def test_what_no_database_can_hold_is_replaced() -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    write(run, [row(prompt, 0, "a\0b\ud800c")])
    assert take_in(run)[0].text == "a\ufffdb\ufffdc"


def test_a_run_without_samples() -> None:
    with pytest.raises(Conflict, match="no samples"):
        take_in(make_sampling_run())


def test_a_broken_row_names_the_line_and_stores_nothing() -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    write(run, [row(prompt, 0, "one"), row(prompt, -1, "two")])
    with pytest.raises(BadInput, match="line 2"):
        take_in(run)
    assert Completion.objects.count() == 0


@pytest.mark.parametrize(("prompt_id", "sentence"), [(str(uuid4()), "not here"), ("p-1", "not the id of a prompt")])
def test_an_unknown_prompt_is_named(prompt_id: str, sentence: str) -> None:
    run, (prompt,) = make_sampling_run(), make_prompts(1)
    write(run, [row(prompt, 0, "one"), row(prompt, 1, "two", prompt_id=prompt_id)])
    with pytest.raises(BadInput, match=sentence) as refused:
        take_in(run)
    assert prompt_id in refused.value.sentence
    assert Completion.objects.count() == 0
