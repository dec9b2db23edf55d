"""What a score run says, found again by completion."""

import json
from pathlib import Path

import pytest

from labeling.errors import BadInput, Conflict
from labeling.exports.freeze import freeze_completions
from labeling.models import Completion, Kind, Labeler
from labeling.queue import dispatch
from labeling.rankings import submit as rankings
from labeling.rankings.cards import cards
from labeling.rounds import scored
from tests.work import make_completions, make_prompts, make_sampling_run, ranking_work
from training import storage
from training.contract.rows import read_rows
from training.models import Run

pytestmark = pytest.mark.django_db


def score_run(rows: list[dict], state: str = Run.State.DONE) -> Run:
    """A run whose recipe wrote these rows."""
    run = Run.objects.create(recipe="score", name="scores", spec={}, seed=1, state=state)
    folder: Path = storage.run_folder(run.pk)
    folder.mkdir(parents=True)
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run


def frozen_rows() -> list[dict]:
    dataset = freeze_completions(Completion.objects.all())
    return read_rows(storage.absolute(dataset.path), "completions")


def test_two_runs_samples_of_one_prompt_are_told_apart() -> None:
    """Both have a sample 0: the rows go by the completions' ids, through the file and back."""
    [prompt] = make_prompts(1)
    first = make_completions(make_sampling_run("first"), prompt, ["two", ""])
    second = make_completions(make_sampling_run("second"), prompt, ["three"])
    rows = frozen_rows()
    assert [(row["prompt"], row["sample"], row["completion"]) for row in rows] == [
        ("What is 0 plus one?", 0, "two"),
        ("What is 0 plus one?", 1, ""),
        ("What is 0 plus one?", 0, "three"),
    ]
    run = score_run([row | {"head_rewards": [number, -0.5]} for number, row in enumerate(rows)])
    assert scored.rewards(run) == {first[0].pk: [0.0, -0.5], first[1].pk: [1.0, -0.5], second[0].pk: [2.0, -0.5]}


def test_nothing_to_score_is_a_sentence() -> None:
    with pytest.raises(BadInput):
        freeze_completions(Completion.objects.none())


def test_scores_that_cannot_be_used_are_a_sentence() -> None:
    [prompt] = make_prompts(1)
    make_completions(make_sampling_run(), prompt, ["two"])
    [row] = frozen_rows()
    with pytest.raises(BadInput) as refused:
        scored.rewards(score_run([row]))
    assert "head by head" in refused.value.sentence
    foreign = {name: value for name, value in row.items() if name != "completion_id"}
    with pytest.raises(BadInput):
        scored.rewards(score_run([foreign | {"head_rewards": [1.0]}]))
    with pytest.raises(BadInput) as refused:
        scored.rewards(Run.objects.create(recipe="score", name="gone", spec={}, seed=1, state=Run.State.DONE))
    assert "cannot be read" in refused.value.sentence
    with pytest.raises(Conflict):
        scored.rewards(score_run([row], Run.State.RUNNING))


def test_rankings_come_with_the_mean_reward_of_what_they_order(labeler: Labeler) -> None:
    """Nothing that has no reward, and a completion's mean over its heads beside the place it was given."""
    ranking_work(1, texts=("a", "b", "c", "d"))
    lease = dispatch.claim(labeler, Kind.RANK)
    place_of = {"a": 2, "b": 1, "c": 4, "d": 3}
    rankings.submit(labeler, lease.pk, {card.number: place_of[card.text] for card in cards(lease)})
    of = {one.text: one.pk for one in Completion.objects.all()}
    rewards = {of["a"]: [1.0, 3.0], of["b"]: [0.0, 0.0], of["c"]: [-1.0, -2.0]}
    [found] = scored.ranked(rewards)
    assert sorted(found) == [(-1.5, 4), (0.0, 1), (2.0, 2)]
    assert scored.ranked({}) == []
